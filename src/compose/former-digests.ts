import type { RenewedDigest } from "../ports/store.ts";

/** Milliseconds in which tokens are gathered before somebody is bothered with them, and how many at most. */
const PAUSE = 1_000;
const MOST = 500;

/** Gathers tokens that were met under a former pepper, each once, and hands them over together. */
export class FormerDigests {
  readonly #handOver: (tokens: readonly RenewedDigest[]) => void;
  readonly #met = new Map<string, RenewedDigest>();
  #timer: NodeJS.Timeout | undefined;

  constructor(handOver: (tokens: readonly RenewedDigest[]) => void) {
    this.#handOver = handOver;
  }

  /** More than a pause can hold are left for when they are met again. */
  add(token: RenewedDigest): void {
    if (this.#met.size >= MOST) return;
    this.#met.set(token.from, token);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const tokens = [...this.#met.values()];
      this.#met.clear();
      this.#handOver(tokens);
    }, PAUSE);
    this.#timer.unref();
  }
}
