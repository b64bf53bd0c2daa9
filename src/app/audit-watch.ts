import type { ChainProblem } from "../domain/audit-chain.ts";
import type { Revision } from "../domain/revision.ts";
import { type AuditReader, verifyAudit } from "./audit.ts";

/** Milliseconds between two parts of a look at the audit, which others' calls go before. */
const PAUSE = 50;

interface AuditWatchOptions {
  readonly parts: AuditReader;
  /** Milliseconds between two looks at all of it. */
  readonly interval: number;
  /** Told of each problem once. */
  readonly onProblem: (problem: ChainProblem) => void;
  /** The audit could not be read; the next look may find out more. */
  readonly onError: (error: unknown) => void;
}

/** Looks at the whole audit from time to time, so that whoever has edited it behind the server's back is noticed. */
export class AuditWatch {
  readonly #options: AuditWatchOptions;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: AuditWatchOptions) {
    this.#options = options;
    this.#lookAt(1 as Revision, PAUSE);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #lookAt(from: Revision, delay: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(from), delay);
    this.#timer.unref();
  }

  async #look(from: Revision): Promise<void> {
    const { parts, interval, onProblem, onError } = this.#options;
    try {
      const { problems, next } = await verifyAudit(parts, from, undefined);
      for (const problem of problems) {
        const name = `${problem.kind} ${problem.revision}`;
        if (this.#told.has(name)) continue;
        this.#told.add(name);
        onProblem(problem);
      }
      if (next === undefined) this.#lookAt(1 as Revision, interval);
      else this.#lookAt(next, PAUSE);
    } catch (error) {
      if (!this.#isClosed) onError(error);
      this.#lookAt(1 as Revision, interval);
    }
  }
}
