import { extname } from "node:path";
import { SHARE_ENV, Worker } from "node:worker_threads";
import type { Keyring } from "../domain/keyring.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type {
  ByListener,
  DataPlace,
  FromVerification,
  OnReport,
  TakenPlace,
  ToVerification,
  VerificationOptions,
} from "./verification-messages.ts";

/** The worker's file stands beside this one, as `.ts` in a checkout and as `.js` in a build. */
const workerFile = new URL(`./verification-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * MiB of a thread's heap for what has just been made, nearly all of which is garbage soon. By itself V8 lets it grow threefold:
 * that costs as much CPU, 150 MiB more, and pauses twice as long.
 */
const YOUNG_GENERATION = 16;

/** Milliseconds beyond its grace that a thread may take to end. */
const PATIENCE = 2_000;

/** A thread that verifies, as the main thread sees it. */
export class VerificationThread {
  readonly #worker: Worker;
  readonly #listening = Promise.withResolvers<ByListener<TakenPlace>>();
  readonly #serving = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #cause: unknown;
  #hasEnded = false;
  #isServing = false;

  constructor(options: VerificationOptions) {
    this.#worker = new Worker(workerFile, {
      workerData: options,
      // Not a copy: what a secret's variable held is taken out of it.
      env: SHARE_ENV,
      name: `keywarden-verify-${options.worker}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
    });
    this.#worker.on("message", (message: FromVerification) => this.#receive(message));
    this.#worker.on("error", (error) => {
      this.#cause = error;
    });
    this.#worker.on("exit", (code) => this.#end(code));
    // Whoever waits for these is told; if nobody does, that is no error.
    for (const { promise } of [this.#listening, this.#serving]) promise.catch(() => {});
  }

  /** Resolves when the thread has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isServing(): boolean {
    return this.#isServing && !this.#hasEnded;
  }

  /** Why it ended by itself; undefined if it was told to, or has not. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Takes the ports. Rejects with FAILED_PRECONDITION if it can't. */
  listen(places: ByListener<DataPlace>): Promise<ByListener<TakenPlace>> {
    this.#send({ kind: "listen", places });
    return this.#listening.promise;
  }

  /** Opens the store for reading and serves; `onReport` gets what it has for others meanwhile. */
  serve(keyring: Keyring, onReport: OnReport): Promise<void> {
    this.#worker.on("message", (message: FromVerification) => {
      if (message.kind === "usage" || message.kind === "former-digests") onReport(message);
    });
    this.#send({ kind: "serve", keyring });
    return this.#serving.promise;
  }

  /** Resolves when the thread has ended, which after the grace is done by force. */
  async drain(graceMs: number): Promise<void> {
    this.#send({ kind: "drain", graceMs });
    const force = setTimeout(() => void this.#worker.terminate(), graceMs + PATIENCE);
    await this.ended;
    clearTimeout(force);
  }

  #send(message: ToVerification): void {
    this.#worker.postMessage(message, []);
  }

  #receive(message: FromVerification): void {
    switch (message.kind) {
      case "listening":
        this.#listening.resolve(message.taken);
        return;
      case "serving":
        this.#isServing = true;
        this.#serving.resolve();
        return;
      case "refused":
        this.#fail(new KeywardenError(message.refusal));
        return;
      case "broken":
        this.#cause = new Error(message.problem);
    }
  }

  #end(code: number): void {
    if (code !== 0) this.#cause ??= new Error(`the thread has ended with code ${code}`);
    this.#fail(
      new KeywardenError({
        status: "UNAVAILABLE",
        reason: "THREAD_ENDED",
        message: "a thread that verifies has ended before it served; see the log",
        cause: this.#cause,
      }),
    );
    this.#hasEnded = true;
    this.#ended.resolve();
  }

  #fail(error: KeywardenError): void {
    this.#cause ??= error;
    this.#listening.reject(error);
    this.#serving.reject(error);
  }
}
