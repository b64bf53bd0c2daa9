import type { KeyId } from "../domain/key.ts";
import type { LimitUsage } from "../domain/rate-limit.ts";

/** Entries below which nobody looks for idle ones. */
const SWEEP_FLOOR = 1024;

/**
 * What each key has spent of its rate limits, in memory: a restart gives every key its whole quota back.
 * A key whose limits are whole again needs no entry, so the ledger holds only keys that were used lately;
 * it looks for idle ones each time it has doubled, which costs a charge O(1) on average.
 */
export class LimitLedger {
  readonly #usages = new Map<KeyId, LimitUsage>();
  #sweepAt = SWEEP_FLOOR;

  get size(): number {
    return this.#usages.size;
  }

  usageOf(id: KeyId): LimitUsage | undefined {
    return this.#usages.get(id);
  }

  /** `now` in milliseconds since the epoch. */
  charge(id: KeyId, usage: LimitUsage, now: number): void {
    this.#usages.set(id, usage);
    if (this.#usages.size < this.#sweepAt) return;
    for (const [other, { idleAt }] of this.#usages) if (idleAt <= now) this.#usages.delete(other);
    this.#sweepAt = Math.max(SWEEP_FLOOR, this.#usages.size * 2);
  }
}
