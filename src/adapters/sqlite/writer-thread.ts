import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { AuditEntry, Change, CommitResult } from "../../ports/store.ts";
import type { Outcome } from "./group-commit.ts";
import { unavailable } from "./refusal.ts";
import type { SealingProgress } from "./secret-rotation.ts";
import type {
  FromWriter,
  NumberedChange,
  SideOutcome,
  SideWrite,
  ToWriter,
  WriterOptions,
} from "./writer-messages.ts";

/** The worker's file stands beside this one, as `.ts` in a checkout and as `.js` in a build. */
const workerFile = new URL(`./writer-worker${extname(import.meta.url)}`, import.meta.url);

export function startWriterWorker(options: WriterOptions): Worker {
  return new Worker(workerFile, { workerData: options, name: "keywarden-writer" });
}

export interface WriterReports {
  /** The thread has ended although nobody closed it. */
  onFailure(error: KeywardenError): void;
  /** How far sealing everything with the current key has come; undefined: it is done. */
  onSealing(progress: SealingProgress | undefined): void;
  /** It met something stored that can't be trusted. */
  onRefusedRow(error: KeywardenError): void;
  /** Somebody else has written to the database. */
  onForeignWrite(): void;
}

/** The writer's worker, as those see it who have something to commit. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #reports: WriterReports;
  readonly #asides = new Map<number, PromiseWithResolvers<number>>();
  readonly #pending = new Map<number, PromiseWithResolvers<CommitResult>>();
  /** Of this turn: they go to the thread together, so that they share a commit. */
  #unsent: NumberedChange[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #state: "open" | "closing" | "ended" = "open";
  #lastId = 0;
  #cause: unknown;

  constructor(worker: Worker, reports: WriterReports) {
    this.#worker = worker;
    this.#reports = reports;
    worker.on("message", (message: FromWriter) => this.#receive(message));
    worker.on("error", (error) => {
      this.#cause = error;
    });
    worker.on("exit", () => this.#end());
  }

  /** Resolves when the database is open and its schema up to date; rejects with the refusal if it can't be opened. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Rejects with STORE_UNAVAILABLE. */
  async commit(change: Change, entry: AuditEntry): Promise<CommitResult> {
    if (this.#state !== "open") throw unavailable("the store is closed; the change was not made");
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<CommitResult>();
    this.#pending.set(id, answer);
    if (this.#unsent.length === 0) setImmediate(() => this.#sendChanges());
    this.#unsent.push({ id, change, entry });
    return answer.promise;
  }

  /** Writes something that is no change; resolves with how many rows it wrote. Rejects with STORE_UNAVAILABLE. */
  async aside(write: SideWrite): Promise<number> {
    if (this.#state !== "open") throw unavailable("the store is closed; nothing was written");
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<number>();
    this.#asides.set(id, answer);
    this.#send({ kind: "aside", id, write });
    return answer.promise;
  }

  /** Resolves when everything that was begun is done and the thread has ended. */
  close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#sendChanges();
      this.#send({ kind: "close" });
    }
    return this.#ended.promise;
  }

  #sendChanges(): void {
    if (this.#unsent.length === 0) return;
    this.#send({ kind: "commit", changes: this.#unsent });
    this.#unsent = [];
  }

  #send(message: ToWriter): void {
    this.#worker.postMessage(message, []);
  }

  #receive(message: FromWriter): void {
    switch (message.kind) {
      case "ready":
        this.#ready.resolve();
        return;
      case "refused":
        this.#state = "closing";
        this.#ready.reject(new KeywardenError(message.refusal));
        return;
      case "outcomes":
        for (const [index, id] of message.ids.entries()) this.#settle(id, message.outcomes[index]);
        return;
      case "aside":
        this.#settleAside(message.id, message.outcome);
        return;
      case "refused-row":
        this.#reports.onRefusedRow(new KeywardenError(message.refusal));
        return;
      case "foreign-write":
        this.#reports.onForeignWrite();
        return;
      case "sealing":
        this.#reports.onSealing(message.progress);
    }
  }

  #settle(id: number, outcome: Outcome | undefined): void {
    const answer = this.#pending.get(id);
    this.#pending.delete(id);
    if (outcome === undefined) answer?.reject(unavailable("it is not known whether the change was made"));
    else if ("problem" in outcome) answer?.reject(unavailable(outcome.problem));
    else answer?.resolve(outcome);
  }

  #settleAside(id: number, outcome: SideOutcome): void {
    const answer = this.#asides.get(id);
    this.#asides.delete(id);
    if ("problem" in outcome) answer?.reject(unavailable(`nothing was written: ${outcome.problem}`));
    else answer?.resolve(outcome.count);
  }

  #end(): void {
    const isFailure = this.#state === "open";
    this.#state = "ended";
    this.#ended.resolve();
    const failure = unavailable("the thread that writes to the store has ended", this.#cause);
    this.#ready.reject(failure);
    for (const { reject } of this.#pending.values()) {
      reject(
        unavailable(
          "it is not known whether the change was made: the thread that writes has ended",
          this.#cause,
        ),
      );
    }
    this.#pending.clear();
    for (const { reject } of this.#asides.values()) reject(failure);
    this.#asides.clear();
    if (isFailure) this.#reports.onFailure(failure);
  }
}
