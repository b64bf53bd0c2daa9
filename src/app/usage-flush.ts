import type { UsageBatch } from "../domain/usage.ts";
import { UsageMeter } from "./usage-meter.ts";

/** Tokens that a thread counts for at once; with more, it does not wait until it is time. About 100 bytes each. */
const MOST_TOKENS = 50_000;

/** Tokens whose counts are handed over in one turn of the event loop: verifications come first. */
const PIECE = 500;

/** What one thread counts, handed over from time to time. */
export class UsageFlush {
  readonly meter: UsageMeter;
  readonly #send: (batch: UsageBatch) => void;
  readonly #timer: NodeJS.Timeout;
  #isSending = false;

  /** `interval`: milliseconds. `send` must not throw. */
  constructor(interval: number, send: (batch: UsageBatch) => void) {
    this.#send = send;
    this.meter = new UsageMeter({ size: MOST_TOKENS, onFull: () => this.#flush() });
    this.#timer = setInterval(() => this.#flush(), interval);
    this.#timer.unref();
  }

  /** Hands over all that is left, at once. */
  close(): void {
    clearInterval(this.#timer);
    this.meter.close();
    for (let batch = this.meter.take(PIECE); batch !== undefined; batch = this.meter.take(PIECE)) {
      this.#send(batch);
    }
  }

  #flush(): void {
    this.meter.close();
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(this.#sendPiece);
  }

  readonly #sendPiece = (): void => {
    const batch = this.meter.take(PIECE);
    this.#isSending = batch !== undefined;
    if (batch === undefined) return;
    this.#send(batch);
    setImmediate(this.#sendPiece);
  };
}
