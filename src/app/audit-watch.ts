import type { ChainProblem } from "../domain/audit-chain.ts";
import type { Revision } from "../domain/revision.ts";
import type { Writes } from "../ports/store.ts";
import { type AuditReader, verifyAudit } from "./audit.ts";

/** Milliseconds between two parts of a look at the audit, which others' calls go before. */
const PAUSE = 50;

interface AuditWatchOptions {
  readonly parts: AuditReader & { readonly store: Pick<Writes, "trust"> };
  /** Milliseconds between two looks at all of it. */
  readonly interval: number;
  /** Told of each problem once. */
  readonly onProblem: (problem: ChainProblem) => void;
  /** Told whenever what is stored is trusted no more, or again. */
  readonly onTrust: (isTrusted: boolean) => void;
  /** The audit could not be read; the next look may find out more. */
  readonly onError: (error: unknown) => void;
}

/**
 * Looks at all records and the whole audit: now, from time to time, and when it is told to, so that whoever has edited them
 * behind the server's back is noticed. Where records are not those that were written last, and the audit can't say any more
 * which, nothing that is stored is trusted until a look finds it sound.
 */
export class AuditWatch {
  readonly #options: AuditWatchOptions;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isStale = false;
  #isClosed = false;

  constructor(options: AuditWatchOptions) {
    this.#options = options;
  }

  /** Looks from now on. */
  start(): void {
    this.#lookIn(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks at everything that was written up to now as soon as it can. */
  lookSoon(): void {
    if (this.#isLooking) this.#isStale = true;
    else this.#lookIn(0);
  }

  /** Looks at everything; resolves with whether it is trusted. Rejects where it could not be read. */
  async look(): Promise<boolean> {
    const { parts } = this.#options;
    const { isDistrusted } = await parts.store.auditHead();
    let isTrusted = true;
    let areCurrent = true;
    for (let from: Revision | undefined = 1 as Revision; from !== undefined && !this.#isClosed; ) {
      const part = await verifyAudit(parts, from, undefined);
      areCurrent = part.areCurrent ?? areCurrent;
      // As long as the audit is whole, it says of each record whether it is the newest, and one that is not grants nothing.
      if (!areCurrent && part.problems.some(isOfAudit)) isTrusted = false;
      for (const problem of part.problems) this.#tell(problem);
      from = part.next;
      if (from !== undefined) await this.#pause(areCurrent ? PAUSE : 0);
    }
    if (this.#isClosed) return isTrusted;
    if (isTrusted === isDistrusted) {
      await parts.store.trust(isTrusted);
      this.#options.onTrust(isTrusted);
    }
    return isTrusted;
  }

  #lookIn(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#lookAndGoOn(), delay);
    this.#timer.unref();
  }

  async #lookAndGoOn(): Promise<void> {
    const { interval, onError } = this.#options;
    this.#isLooking = true;
    try {
      await this.look();
    } catch (error) {
      if (!this.#isClosed) onError(error);
    }
    this.#isLooking = false;
    this.#lookIn(this.#isStale ? 0 : interval);
    this.#isStale = false;
  }

  #tell(problem: ChainProblem): void {
    const name = `${problem.kind} ${problem.revision}`;
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#options.onProblem(problem);
  }

  #pause(delay: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timer = setTimeout(resolve, delay);
    this.#timer.unref();
    return promise;
  }
}

/** Does it leave open what the audit says of records? */
function isOfAudit({ kind }: ChainProblem): boolean {
  return kind !== "RECORDS" && kind !== "SCHEMA";
}
