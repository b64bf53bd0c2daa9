import type { KeyId } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { type LimitUsage, MAX_WINDOW, type RateLimit } from "../domain/rate-limit.ts";
import { isHeldBy, releaseLock, takeLock } from "./limit-ledger-lock.ts";
import { CONTROL, type LedgerMemory, ledgerUse } from "./limit-ledger-memory.ts";
import { type LedgerId, LedgerShard } from "./limit-ledger-shard.ts";

interface LimitLedgerOptions {
  readonly memory: LedgerMemory;
  /** A number of its own for each thread that uses the memory, above 0. */
  readonly owner: number;
  /** When no entry is idle: "refuse" a new one, or "forget" what another one has spent. */
  readonly whenFull: "refuse" | "forget";
  /** Told each time that a new one is refused. */
  readonly onRefused?: () => void;
}

/**
 * What is spent of rate limits, in memory that all threads share: whichever of them decides, it sees what all have
 * charged, and nobody charges between its look and its charge. A restart of the process gives everyone the whole quota
 * back. Whose limits are whole again needs no entry, and gives it up for others.
 */
export class LimitLedger {
  readonly #options: LimitLedgerOptions;
  readonly #shards: readonly LedgerShard[];

  constructor(options: LimitLedgerOptions) {
    this.#options = options;
    const { memory } = options;
    const { shards, entries, seed } = memory;
    const bucketOf = (id: LedgerId) => Math.floor(hashOf(id, seed) / shards) & (entries - 1);
    this.#shards = Array.from({ length: shards }, (_, index) => new LedgerShard(memory, index, bucketOf));
  }

  /** Ids that have an entry. */
  get size(): number {
    return ledgerUse(this.#options.memory).entries;
  }

  /**
   * Calls `decide` with what `id` has spent (undefined: nothing), stores what it says was `charged`, if anything, and
   * gives what it gave. `decide` is quick, and uses no ledger. `limits` are those that `id` has now; `now` is in
   * milliseconds since the epoch.
   * Throws KeywardenErrors, with nothing charged: LIMITS_FULL, LIMITS_UNAVAILABLE.
   */
  use<Outcome extends { readonly charged: LimitUsage | undefined }>(
    id: LedgerId,
    limits: readonly RateLimit[],
    now: number,
    decide: (usage: LimitUsage | undefined) => Outcome,
  ): Outcome {
    const { memory, owner } = this.#options;
    if (limits.length > memory.limits) throw new RangeError(`there is no room for ${limits.length} limits`);
    const shard = this.#shards[hashOf(id, memory.seed) & (memory.shards - 1)];
    if (shard === undefined) throw new RangeError("there is no such shard");
    takeLock(shard.words, CONTROL.lock, owner);
    try {
      const found = shard.find(id);
      const outcome = decide(found === 0 ? undefined : shard.usage(found, limits));
      if (outcome.charged !== undefined) {
        shard.write(found === 0 ? this.#claim(shard, id, now) : found, outcome.charged);
      }
      return outcome;
    } finally {
      releaseLock(shard.words, CONTROL.lock);
    }
  }

  /** Gives back what a thread had locked that has ended. */
  releaseLocksOf(owner: number, now: number): void {
    for (const shard of this.#shards) {
      if (!isHeldBy(shard.words, CONTROL.lock, owner)) continue;
      shard.repair(now, MAX_WINDOW);
      releaseLock(shard.words, CONTROL.lock);
    }
  }

  #claim(shard: LedgerShard, id: LedgerId, now: number): number {
    const claimed = shard.claim(id, now);
    if (claimed !== 0) return claimed;
    const { memory, whenFull, onRefused } = this.#options;
    if (whenFull === "forget") {
      shard.evict();
      return shard.claim(id, now);
    }
    onRefused?.();
    const most = ledgerUse(memory).capacity.toLocaleString("en");
    throw new KeywardenError({
      status: "RESOURCE_EXHAUSTED",
      reason: "LIMITS_FULL",
      message:
        `this server can remember what ${most} keys have spent of their rate limits, and that many have spent some ` +
        "within their windows; further keys with rate limits are not allowed until others' are whole again. " +
        "Give keys shorter windows, or spread them over several servers",
    });
  }
}

/** The id's own 128 bits: it is a UUID (RFC 9562 section 4), else RangeError. */
export function ledgerIdOf(id: KeyId): LedgerId {
  const words: [number, number, number, number] = [0, 0, 0, 0];
  let digits = 0;
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code === DASH) continue;
    const digit = hexDigit(code);
    if (digit < 0 || digits >= UUID_DIGITS) throw new RangeError(`the key id ${id} is no UUID`);
    const word = digits++ >> 3;
    words[word] = ((words[word] ?? 0) << 4) | digit;
  }
  if (digits !== UUID_DIGITS) throw new RangeError(`the key id ${id} is no UUID`);
  return words;
}

const DASH = 45;
const UUID_DIGITS = 32;

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** 32 bits; as in MurmurHash3, whose constants these are. */
function hashOf(id: LedgerId, seed: number): number {
  let hash = seed;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ (id[index] ?? 0), 0xcc9e2d51);
    hash = Math.imul(hash ^ (hash >>> 15), 0x1b873593);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
