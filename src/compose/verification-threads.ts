import type { Logger } from "../adapters/telemetry/logger.ts";
import type { Keyring } from "../domain/keyring.ts";
import type {
  ByListener,
  DataListener,
  DataPlace,
  OnReport,
  VerificationOptions,
} from "./verification-messages.ts";
import { VerificationThread } from "./verification-thread.ts";

/** So many threads may die within a minute; with the last of them the server stops. */
const MOST_DEATHS = 5;
const MINUTE = 60_000;

interface VerificationThreadsOptions {
  readonly count: number;
  /** Where to listen, on one port each. */
  readonly places: ByListener<Omit<DataPlace, "sharing">>;
  readonly log: Logger;
  /** What each is started with beside its numbers. */
  readonly start: () => Omit<VerificationOptions, "worker" | "owner" | "counts">;
  /** Where the thread of this number counts what it does. */
  readonly countsOf: (worker: number) => SharedArrayBuffer;
  /** Told of each thread that takes the place of one that died. */
  readonly onReplaced: () => void;
  /** A number of its own for each thread, to lock shared memory with. */
  readonly newOwner: () => number;
  /** Gives back what a thread had locked that has ended. */
  readonly release: (owner: number) => void;
  /** Threads die again and again. */
  readonly onFailure: () => void;
}

/** The threads that verify, all on the same ports. One that dies is replaced; what it was asked fails, and nothing is allowed. */
export class VerificationThreads {
  readonly #options: VerificationThreadsOptions;
  readonly #threads = new Map<number, VerificationThread>();
  #places: ByListener<DataPlace>;
  /** What each serves with; undefined: none does yet. */
  #service: { readonly keyring: Keyring; readonly onReport: OnReport } | undefined;
  #closing: Promise<void> | undefined;
  #deaths: readonly number[] = [];

  constructor(options: VerificationThreadsOptions) {
    this.#options = options;
    const { places, count } = options;
    this.#places = mapped(places, (place) => ({ ...place, sharing: count === 1 ? "alone" : "first" }));
    for (let worker = 1; worker <= count; worker++) this.#start(worker);
  }

  /** Takes the ports for all; resolves with each `host:port`. Rejects with PORT_IN_USE or CANNOT_LISTEN. */
  async listen(): Promise<ByListener<string>> {
    const [first, ...others] = this.#threads.values();
    if (first === undefined) throw new RangeError("there is no thread");
    const taken = await first.listen(this.#places);
    const sharing = others.length === 0 ? "alone" : "joining";
    this.#places = mapped(this.#places, (place, name) => ({
      ...place,
      port: taken[name]?.port ?? place.port,
      sharing,
    }));
    await Promise.all(others.map((thread) => thread.listen(this.#places)));
    return mapped(taken, ({ address }) => address);
  }

  /** Resolves when all serve. From then on, whichever dies is replaced. `onReport` gets what they have for others. */
  async serve(keyring: Keyring, onReport: OnReport): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.serve(keyring, onReport)));
    this.#service = { keyring, onReport };
    for (const [worker, thread] of this.#threads) if (thread.hasEnded) this.#replace(worker, thread.cause);
  }

  /** False while none of them serves. */
  get isServing(): boolean {
    return [...this.#threads.values()].some((thread) => thread.isServing);
  }

  /** Drains all; resolves when they have ended. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.drain(graceMs)));
  }

  #start(worker: number): VerificationThread {
    const { start, countsOf, newOwner, release } = this.#options;
    const owner = newOwner();
    const thread = new VerificationThread({ ...start(), worker, owner, counts: countsOf(worker) });
    this.#threads.set(worker, thread);
    void this.#watch(worker, thread, () => release(owner));
    return thread;
  }

  async #watch(worker: number, thread: VerificationThread, release: () => void): Promise<void> {
    await thread.ended;
    release();
    if (this.#closing === undefined && this.#service !== undefined) this.#replace(worker, thread.cause);
  }

  #replace(worker: number, cause: unknown): void {
    const { log, onReplaced, onFailure } = this.#options;
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((time) => time > now - MINUTE), now];
    if (this.#deaths.length >= MOST_DEATHS) {
      log.fatal(
        { err: cause, worker },
        `threads that verify died ${MOST_DEATHS} times within a minute: stopping`,
      );
      onFailure();
      return;
    }
    log.error(
      { err: cause, worker },
      "a thread that verifies has died, and its calls have failed: starting another",
    );
    onReplaced();
    void this.#serveAgain(worker).then(
      () => log.info({ worker }, "serving again"),
      // Then it has ended as well, and is replaced for that.
      (error) => {
        if (this.#closing === undefined) log.error({ err: error, worker }, "the new thread does not serve");
      },
    );
  }

  async #serveAgain(worker: number): Promise<void> {
    if (this.#service === undefined) return;
    const { keyring, onReport } = this.#service;
    const thread = this.#start(worker);
    await thread.listen(this.#places);
    await thread.serve(keyring, onReport);
  }
}

function mapped<Value, Mapped>(
  { grpc, http }: ByListener<Value>,
  map: (value: Value, name: DataListener) => Mapped,
): ByListener<Mapped> {
  return {
    ...(grpc !== undefined && { grpc: map(grpc, "grpc") }),
    ...(http !== undefined && { http: map(http, "http") }),
  };
}
