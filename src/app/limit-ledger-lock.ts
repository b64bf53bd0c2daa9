import { KeywardenError } from "../domain/keywarden-error.ts";

const FREE = 0;
/** Some ten microseconds: many times as long as a lock is held. */
const SPINS = 500;
/** Then its holder has been interrupted, or sweeps: the processor is left to it, for so many milliseconds at a time. */
const PAUSE = 0.1;
/** Milliseconds until the caller gives up, as the holder has died: its lock is released by whoever watches over it. */
const PATIENCE = 500;

/**
 * Takes the lock, which is the word `words[at]`, for `owner` (a number of its own for each thread, above 0).
 * Throws UNAVAILABLE: LIMITS_UNAVAILABLE, if whoever has it does not give it back.
 */
export function takeLock(words: Int32Array, at: number, owner: number): void {
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.compareExchange(words, at, FREE, owner) === FREE) return;
  }
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    const holder = Atomics.compareExchange(words, at, FREE, owner);
    if (holder === FREE) return;
    Atomics.wait(words, at, holder, PAUSE);
  }
  throw new KeywardenError({
    status: "UNAVAILABLE",
    reason: "LIMITS_UNAVAILABLE",
    message: "the thread that was charging a rate limit has not finished; nothing was charged. Try again",
  });
}

export function releaseLock(words: Int32Array, at: number): void {
  Atomics.store(words, at, FREE);
}

export function isHeldBy(words: Int32Array, at: number, owner: number): boolean {
  return Atomics.load(words, at) === owner;
}
