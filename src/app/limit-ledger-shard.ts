import { hash } from "node:crypto";
import type { LimitUsage, RateLimit } from "../domain/rate-limit.ts";
import {
  CONTROL,
  CONTROL_WORDS,
  EARLIEST_IDLE,
  ENTRY,
  entryWords,
  type LedgerMemory,
  LIMIT,
  shardWords,
} from "./limit-ledger-memory.ts";

/** Four 32-bit words that say whose usage it is. */
export type LedgerId = readonly [number, number, number, number];

/** Entries below which nobody looks for idle ones. */
const SWEEP_FLOOR = 64;
/** In place of a number of limits: all of them are spent, whatever they are. */
const SPENT = -1;
/** In place of the entry that is being written: the chains are. */
const CHAINS = -1;

/** One part of the shared ledger. Whoever calls has its lock. */
export class LedgerShard {
  readonly words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #entries: number;
  readonly #entryWords: number;
  readonly #bucketOf: (id: LedgerId) => number;

  constructor(memory: LedgerMemory, index: number, bucketOf: (id: LedgerId) => number) {
    const length = shardWords(memory);
    this.words = new Int32Array(memory.buffer, index * length * 4, length);
    this.#doubles = new Float64Array(memory.buffer, index * length * 4, length / 2);
    this.#entries = memory.entries;
    this.#entryWords = entryWords(memory.limits);
    this.#bucketOf = bucketOf;
  }

  /** Entries that hold a usage. */
  get live(): number {
    return this.#word(CONTROL.live);
  }

  /** Where the entry of this id is, in words; 0: it has none. */
  find(id: LedgerId): number {
    let number = this.#word(this.#bucket(id));
    while (number !== 0) {
      const at = this.#at(number);
      if (this.#isOf(at, id)) return at;
      number = this.#word(at + ENTRY.next);
    }
    return 0;
  }

  /** The usage at `at`. Those of its limits that the key still has are named; others have names that no limit has. */
  usage(at: number, limits: readonly RateLimit[]): LimitUsage {
    const time = this.#double(at + ENTRY.time);
    const idleAt = this.#double(at + ENTRY.idleAt);
    const count = this.#word(at + ENTRY.count);
    if (count === SPENT) {
      return { limits, debts: limits.map(({ quota, window }) => quota * window), time, idleAt };
    }
    const debts: number[] = [];
    let isSame = count === limits.length;
    for (let index = 0; index < count; index++) {
      const place = at + ENTRY.limits + index * LIMIT.words;
      debts.push(this.#double(place + LIMIT.debt));
      isSame &&= this.#isLimit(place, limits[index]);
    }
    return { limits: isSame ? limits : this.#limits(at, count, limits), debts, time, idleAt };
  }

  /**
   * Where a new entry for this id can be: an unused one, else one whose limits are whole again by `now`, else 0. Its id
   * is set; it holds no usage, and is not found, until it is written.
   */
  claim(id: LedgerId, now: number): number {
    const number = this.#unused(now);
    if (number === 0) return 0;
    const at = this.#at(number);
    this.words.set(id, at + ENTRY.id);
    return at;
  }

  /** Makes room by forgetting what a sixteenth of the entries hold, each in turn. */
  evict(): void {
    Atomics.store(this.words, CONTROL.writing, CHAINS);
    for (let left = Math.ceil(this.#entries / 16); left > 0; left--) {
      const number = (this.#word(CONTROL.hand) % this.#entries) + 1;
      this.words[CONTROL.hand] = number;
      this.words[this.#at(number) + ENTRY.count] = 0;
    }
    this.#rebuild();
  }

  /** Stores the usage at `at`. If the thread ends halfway, `repair` finds out. */
  write(at: number, { limits, debts, time, idleAt }: LimitUsage): void {
    const number = this.#number(at);
    const isNew = this.words[at + ENTRY.count] === 0;
    Atomics.store(this.words, CONTROL.writing, number);
    this.#setDouble(at + ENTRY.time, time);
    this.#setDouble(at + ENTRY.idleAt, idleAt);
    for (const [index, limit] of limits.entries()) {
      const place = at + ENTRY.limits + index * LIMIT.words;
      const { high, low } = nameHash(limit);
      this.#setDouble(place + LIMIT.debt, debts[index] ?? 0);
      this.words[place + LIMIT.quota] = limit.quota;
      this.words[place + LIMIT.window] = limit.window;
      this.words[place + LIMIT.name] = high;
      this.words[place + LIMIT.name + 1] = low;
    }
    this.words[at + ENTRY.count] = limits.length;
    if (isNew) this.#link(number);
    if (idleAt < (this.#doubles[EARLIEST_IDLE] ?? 0)) this.#doubles[EARLIEST_IDLE] = idleAt;
    Atomics.store(this.words, CONTROL.writing, 0);
  }

  /**
   * For a shard whose holder has ended: makes its chains whole, and what was being written counts as spent, all of it,
   * as of `now`: rather a call too few than one too many.
   */
  repair(now: number, longest: number): void {
    const writing = Atomics.load(this.words, CONTROL.writing);
    if (writing === 0) return;
    if (writing !== CHAINS) {
      const at = this.#at(writing);
      this.words[CONTROL.taken] = Math.max(writing, this.#word(CONTROL.taken));
      if (this.words[at + ENTRY.count] !== 0) {
        this.words[at + ENTRY.count] = SPENT;
        this.#setDouble(at + ENTRY.time, now);
        this.#setDouble(at + ENTRY.idleAt, now + longest);
      }
    }
    this.#rebuild();
  }

  #unused(now: number): number {
    if (this.words[CONTROL.free] === 0 && this.#word(CONTROL.taken) >= this.#sweepAt()) {
      this.#sweep(now);
    }
    const free = this.#word(CONTROL.free);
    if (free !== 0) {
      return free;
    }
    const taken = this.#word(CONTROL.taken);
    return taken < this.#entries ? taken + 1 : 0;
  }

  #sweepAt(): number {
    return this.words[CONTROL.sweepAt] || Math.min(SWEEP_FLOOR, this.#entries);
  }

  /** Frees what is idle, unless it is known that nothing is; looks again when the entries in use have doubled. */
  #sweep(now: number): void {
    this.#sweepAgainAtTwice();
    if (now < (this.#doubles[EARLIEST_IDLE] ?? 0)) return;
    let earliest = Number.POSITIVE_INFINITY;
    Atomics.store(this.words, CONTROL.writing, CHAINS);
    for (let number = 1; number <= this.#word(CONTROL.taken); number++) {
      const at = this.#at(number);
      if (this.words[at + ENTRY.count] === 0) continue;
      const idleAt = this.#double(at + ENTRY.idleAt);
      if (idleAt <= now) this.words[at + ENTRY.count] = 0;
      else if (idleAt < earliest) earliest = idleAt;
    }
    this.#doubles[EARLIEST_IDLE] = earliest;
    this.#rebuild();
    this.#sweepAgainAtTwice();
  }

  #sweepAgainAtTwice(): void {
    this.words[CONTROL.sweepAt] = Math.min(this.#entries, Math.max(SWEEP_FLOOR, 2 * this.live));
  }

  /** Makes the chains and the list of free entries anew, from the entries themselves. */
  #rebuild(): void {
    Atomics.store(this.words, CONTROL.writing, CHAINS);
    this.words.fill(0, CONTROL_WORDS, CONTROL_WORDS + this.#entries);
    this.words[CONTROL.free] = 0;
    this.words[CONTROL.live] = 0;
    for (let number = this.#word(CONTROL.taken); number > 0; number--) {
      const at = this.#at(number);
      if (this.words[at + ENTRY.count] !== 0) {
        this.#chain(number);
      } else {
        this.words[at + ENTRY.next] = this.#word(CONTROL.free);
        this.words[CONTROL.free] = number;
      }
    }
    Atomics.store(this.words, CONTROL.writing, 0);
  }

  /** Takes the entry that `claim` gave. */
  #link(number: number): void {
    const at = this.#at(number);
    if (this.words[CONTROL.free] === number) this.words[CONTROL.free] = this.#word(at + ENTRY.next);
    else this.words[CONTROL.taken] = number;
    this.#chain(number);
  }

  #chain(number: number): void {
    const at = this.#at(number);
    const bucket = this.#bucket(this.#idAt(at));
    this.words[at + ENTRY.next] = this.#word(bucket);
    this.words[bucket] = number;
    this.words[CONTROL.live] = this.live + 1;
  }

  #isLimit(place: number, limit: RateLimit | undefined): boolean {
    return (
      limit !== undefined &&
      this.words[place + LIMIT.quota] === limit.quota &&
      this.#word(place + LIMIT.window) >>> 0 === limit.window &&
      this.#hasName(place, limit)
    );
  }

  #limits(at: number, count: number, limits: readonly RateLimit[]): readonly RateLimit[] {
    return Array.from({ length: count }, (_, index) => {
      const place = at + ENTRY.limits + index * LIMIT.words;
      return {
        name: limits.find((limit) => this.#hasName(place, limit))?.name ?? "",
        quota: this.#word(place + LIMIT.quota),
        window: this.#word(place + LIMIT.window) >>> 0,
      };
    });
  }

  #hasName(place: number, limit: RateLimit): boolean {
    const name = nameHash(limit);
    return this.words[place + LIMIT.name] === name.high && this.words[place + LIMIT.name + 1] === name.low;
  }

  #isOf(at: number, id: LedgerId): boolean {
    const { words } = this;
    return (
      words[at] === id[0] && words[at + 1] === id[1] && words[at + 2] === id[2] && words[at + 3] === id[3]
    );
  }

  #idAt(at: number): LedgerId {
    return [this.#word(at), this.#word(at + 1), this.#word(at + 2), this.#word(at + 3)];
  }

  #bucket(id: LedgerId): number {
    return CONTROL_WORDS + this.#bucketOf(id);
  }

  /** Entries are numbered from 1, so that 0 is none. */
  #at(number: number): number {
    return CONTROL_WORDS + this.#entries + (number - 1) * this.#entryWords;
  }

  #number(at: number): number {
    return (at - CONTROL_WORDS - this.#entries) / this.#entryWords + 1;
  }

  /** Beyond the end, where nothing ever is: 0. */
  #word(at: number): number {
    return this.words[at] ?? 0;
  }

  #double(at: number): number {
    return this.#doubles[at / 2] ?? 0;
  }

  #setDouble(at: number, value: number): void {
    this.#doubles[at / 2] = value;
  }
}

interface NameHash {
  readonly high: number;
  readonly low: number;
}

/** By the limit, which is one and the same object for all keys that have equal ones. */
const nameHashes = new WeakMap<RateLimit, NameHash>();

/** 64 bits of SHA-256: two names of one key have the same by no chance that matters. */
function nameHash(limit: RateLimit): NameHash {
  const known = nameHashes.get(limit);
  if (known !== undefined) return known;
  const bytes = hash("sha256", limit.name, "buffer");
  const made = { high: bytes.readInt32LE(0), low: bytes.readInt32LE(4) };
  nameHashes.set(limit, made);
  return made;
}
