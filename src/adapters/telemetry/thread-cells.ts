import type { CounterName, GaugeName } from "./metric-table.ts";
import { METRICS } from "./metric-table.ts";
import { DOORS, OUTCOMES } from "./outcome.ts";

interface Cell {
  readonly metric: CounterName | GaugeName;
  /** All but `thread`, which whoever sums knows. */
  readonly labels: Readonly<Record<string, string>>;
}

function cell(metric: Cell["metric"], labels: Cell["labels"] = {}): Cell {
  return { metric, labels };
}

/** What each thread counts, and what it last measured, beside its verifications. */
export const CELLS = {
  cacheHits: cell("keywarden_cache_lookups_total", { result: "hit" }),
  cacheUnknown: cell("keywarden_cache_lookups_total", { result: "unknown" }),
  cacheMisses: cell("keywarden_cache_lookups_total", { result: "miss" }),
  knownTokens: cell("keywarden_cache_entries", { cache: "known" }),
  unknownTokens: cell("keywarden_cache_entries", { cache: "unknown" }),
  tokenReads: cell("keywarden_store_reads_total", { read: "tokens" }),
  apiReads: cell("keywarden_store_reads_total", { read: "apis" }),
  changeReads: cell("keywarden_store_reads_total", { read: "changes" }),
  readFailures: cell("keywarden_store_read_failures_total"),
  auditProblems: cell("keywarden_audit_problems_total"),
  brokenApis: cell("keywarden_seal_failures_total", { record: "api" }),
  brokenKeys: cell("keywarden_seal_failures_total", { record: "key" }),
  brokenTokens: cell("keywarden_seal_failures_total", { record: "token" }),
  unreadableRecords: cell("keywarden_unreadable_records_total"),
  loopActiveSeconds: cell("keywarden_event_loop_active_seconds_total"),
  loopLagP99: cell("keywarden_event_loop_lag_p99_seconds"),
  loopLagMax: cell("keywarden_event_loop_lag_max_seconds"),
  tlsLoaded: cell("keywarden_tls_reloads_total", { outcome: "loaded" }),
  tlsRefused: cell("keywarden_tls_reloads_total", { outcome: "refused" }),
  tlsExpireTime: cell("keywarden_tls_certificate_expiry_timestamp_seconds"),
  usageFlushed: cell("keywarden_usage_flushes_total", { outcome: "ok" }),
  logLinesDropped: cell("keywarden_log_lines_dropped_total"),
  usageNotFlushed: cell("keywarden_usage_flushes_total", { outcome: "failed" }),
} as const satisfies Readonly<Record<string, Cell>>;

export type CellName = keyof typeof CELLS;

export const CELL_NAMES: readonly string[] = Object.keys(CELLS);

export const BUCKETS: readonly number[] = METRICS.keywarden_verification_duration_seconds.buckets;

/** Of one door and outcome: how many verifications, seconds in all, and calls in each bucket, the last without a bound. */
export const TOTAL = 0;
export const SECONDS = 1;
export const FIRST_BUCKET = 2;
const SERIES_LENGTH = FIRST_BUCKET + BUCKETS.length + 1;

/** Where the numbers of a door and an outcome begin. */
export function seriesStart(door: number, outcome: number): number {
  return CELL_NAMES.length + (door * OUTCOMES.length + outcome) * SERIES_LENGTH;
}

/**
 * Memory for what one thread counts, 26 KiB: only that thread writes to it, and any may read. Aligned doubles are
 * written and read whole on every 64-bit machine. A gauge is NaN until it is set.
 */
export function createThreadMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(seriesStart(DOORS.length, 0) * Float64Array.BYTES_PER_ELEMENT);
  const cells = new Float64Array(memory);
  for (const [index, { metric }] of Object.values(CELLS).entries()) {
    if (METRICS[metric].type === "gauge") cells[index] = Number.NaN;
  }
  return memory;
}
