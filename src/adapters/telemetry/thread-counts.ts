import type { CacheWatch } from "../../app/fresh-cache.ts";
import { DOORS, type Door } from "./outcome.ts";
import {
  BUCKETS,
  CELL_NAMES,
  type CellName,
  FIRST_BUCKET,
  SECONDS,
  seriesStart,
  TOTAL,
} from "./thread-cells.ts";

const cellIndexes: ReadonlyMap<string, number> = new Map(CELL_NAMES.map((name, index) => [name, index]));

/**
 * What one thread counts: additions to memory that it shares with whoever is asked for metrics, and nothing else. A
 * thread that takes another's place goes on with its memory, as a counter never goes back.
 */
export class ThreadCounts {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory);
  }

  add(name: CellName, amount = 1): void {
    this.addAt(cellIndex(name), amount);
  }

  /** The same, by the cell's index. */
  addAt(index: number, amount = 1): void {
    const before = this.#cells[index];
    if (before !== undefined) this.#cells[index] = before + amount;
  }

  set(name: CellName, value: number): void {
    this.#cells[cellIndex(name)] = value;
  }

  /** A verification ended so at this door; both by their indexes in DOORS and OUTCOMES. */
  verified(door: number, outcome: number): void {
    this.addAt(seriesStart(door, outcome) + TOTAL);
  }

  /** A call ended so at this door; `bucket` is that of its duration. */
  took(door: number, outcome: number, seconds: number, bucket: number): void {
    const start = seriesStart(door, outcome);
    this.addAt(start + SECONDS, seconds);
    this.addAt(start + FIRST_BUCKET + bucket);
  }
}

export function doorIndex(door: Door): number {
  return DOORS.indexOf(door);
}

function cellIndex(name: CellName): number {
  return cellIndexes.get(name) ?? 0;
}

/** The index of the first bucket that holds so many seconds. */
export function bucketOf(seconds: number): number {
  let bucket = 0;
  for (const bound of BUCKETS) {
    if (seconds <= bound) return bucket;
    bucket++;
  }
  return bucket;
}

/** Counts what a thread's cache does. */
export function cacheWatch(counts: ThreadCounts): CacheWatch {
  return {
    looked(result) {
      counts.addAt(LOOKUPS[result]);
    },
    holds(known, unknown) {
      counts.set("knownTokens", known);
      counts.set("unknownTokens", unknown);
    },
  };
}

/** Asked for every verification. */
const LOOKUPS = {
  hit: cellIndex("cacheHits"),
  unknown: cellIndex("cacheUnknown"),
  miss: cellIndex("cacheMisses"),
};
