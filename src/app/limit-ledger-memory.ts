import { randomInt } from "node:crypto";

/** Memory that all threads share, for what is spent of rate limits. A thread is given it as it is: it is plain. */
export interface LedgerMemory {
  readonly buffer: SharedArrayBuffer;
  /** Parts that are locked apart; a power of two. */
  readonly shards: number;
  /** Entries of one part; a power of two. */
  readonly entries: number;
  /** Limits that one entry has room for. */
  readonly limits: number;
  /** Makes it unknown which ids come to stand in one chain. */
  readonly seed: number;
}

interface LedgerSize {
  /** Entries at once; rounded up to a power of two, at least `shards`. */
  readonly entries: number;
  readonly limits: number;
  readonly shards: number;
}

/*
 * A shard, in 32-bit words: its control words, the first entry of each chain, then the entries, which are taken one
 * after the other, so that only what has been in use at some time is resident. Numbers beyond 32 bits are doubles.
 */
export const CONTROL = { lock: 0, writing: 1, taken: 2, free: 3, live: 4, sweepAt: 5, hand: 6 } as const;
/** The same memory read as doubles: where `earliestIdle` is. */
export const EARLIEST_IDLE = 4;
export const CONTROL_WORDS = 16;

/** Of an entry: its id (4 words), the next one of its chain, how many limits it has, two doubles, its limits. */
export const ENTRY = { id: 0, next: 4, count: 5, time: 6, idleAt: 8, limits: 10 } as const;
/** Of a limit: its debt (a double), quota, window, and the hash of its name (2 words). */
export const LIMIT = { debt: 0, quota: 2, window: 3, name: 4, words: 6 } as const;

export function entryWords(limits: number): number {
  return ENTRY.limits + limits * LIMIT.words;
}

/** Words of one shard. */
export function shardWords({ entries, limits }: Pick<LedgerMemory, "entries" | "limits">): number {
  return CONTROL_WORDS + entries * (1 + entryWords(limits));
}

/** How much of it is taken: entries in use, idle ones that nobody has needed since among them. */
export function ledgerUse(memory: LedgerMemory): { readonly entries: number; readonly capacity: number } {
  const words = new Int32Array(memory.buffer);
  const length = shardWords(memory);
  let entries = 0;
  for (let shard = 0; shard < memory.shards; shard++) entries += words[shard * length + CONTROL.live] ?? 0;
  return { entries, capacity: memory.shards * memory.entries };
}

/** Of an empty ledger. What it may take at most is reserved, and resident only as it comes to be used. */
export function createLedgerMemory({ entries, limits, shards }: LedgerSize): LedgerMemory {
  const each = 2 ** Math.ceil(Math.log2(Math.max(2, entries / shards)));
  const bytes = 4 * shards * shardWords({ entries: each, limits });
  return {
    buffer: new SharedArrayBuffer(bytes),
    shards,
    entries: each,
    limits,
    seed: randomInt(2 ** 31),
  };
}
