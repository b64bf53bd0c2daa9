/** A metric as Prometheus knows it, by its name. */
export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  /** A sentence, for the exposition and the docs. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in seconds. */
  readonly buckets?: readonly number[];
}

/** A decision from the cache takes microseconds; what waits for the store or the disk, milliseconds. */
const VERIFICATION_BUCKETS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
];
const CHANGE_BUCKETS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** All that Keywarden tells Prometheus. No label ever holds a key, a token, or anything else that callers choose. */
export const METRICS = {
  keywarden_verifications_total: {
    type: "counter",
    help: "Verifications that ended.",
    labels: ["door", "reason"],
  },
  keywarden_verification_duration_seconds: {
    type: "histogram",
    help: "Time from the arrival of a call's event-loop turn to its reply.",
    labels: ["door", "reason"],
    buckets: VERIFICATION_BUCKETS,
  },
  keywarden_cache_lookups_total: {
    type: "counter",
    help: "Tokens that were looked up in the cache of records.",
    labels: ["result"],
  },
  keywarden_cache_entries: {
    type: "gauge",
    help: "Tokens that a thread keeps in memory.",
    labels: ["cache", "thread"],
  },
  keywarden_store_reads_total: {
    type: "counter",
    help: "Questions to the store for verifications.",
    labels: ["read"],
  },
  keywarden_store_read_failures_total: {
    type: "counter",
    help: "Questions to the store for verifications that it did not answer.",
    labels: [],
  },
  keywarden_seal_failures_total: {
    type: "counter",
    help: "Stored records that a verification met and that are not what Keywarden wrote.",
    labels: ["record"],
  },
  keywarden_audit_problems_total: {
    type: "counter",
    help: "Problems that the server has found in its audit, each counted once.",
    labels: [],
  },
  keywarden_unreadable_records_total: {
    type: "counter",
    help: "Stored records that a verification met and that cannot be decoded.",
    labels: [],
  },
  keywarden_event_loop_active_seconds_total: {
    type: "counter",
    help: "Time that a thread's event loop was busy.",
    labels: ["thread"],
  },
  keywarden_event_loop_lag_p99_seconds: {
    type: "gauge",
    help: "99th percentile of a thread's event-loop lag in its last sample.",
    labels: ["thread"],
  },
  keywarden_event_loop_lag_max_seconds: {
    type: "gauge",
    help: "Longest event-loop lag of a thread in its last sample.",
    labels: ["thread"],
  },
  keywarden_tls_reloads_total: {
    type: "counter",
    help: "Changes of the TLS files that a thread has seen.",
    labels: ["outcome"],
  },
  keywarden_tls_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    help: "When the TLS certificate in use expires, since the epoch.",
    labels: ["thread"],
  },
  keywarden_usage_flushes_total: {
    type: "counter",
    help: "Times that counted usage was written to the store.",
    labels: ["outcome"],
  },
  keywarden_limit_entries: {
    type: "gauge",
    help: "Keys and sources whose spending is remembered; from the capacity on, further keys with rate limits are denied.",
    labels: ["ledger"],
  },
  keywarden_limit_entries_capacity: {
    type: "gauge",
    help: "Keys and sources whose spending can be remembered.",
    labels: ["ledger"],
  },
  keywarden_log_lines_dropped_total: {
    type: "counter",
    help: "Lines of the log that could not be written, such as to a full disk.",
    labels: [],
  },
  keywarden_commits_total: {
    type: "counter",
    help: "Changes that were asked of the store, each with its audit event.",
    labels: ["change", "outcome"],
  },
  keywarden_commit_duration_seconds: {
    type: "histogram",
    help: "Time from asking for a change until it is on the disk, or refused.",
    labels: [],
    buckets: CHANGE_BUCKETS,
  },
  keywarden_store_revision: {
    type: "gauge",
    help: "The newest revision that this process has written.",
    labels: [],
  },
  keywarden_audit_checks_total: {
    type: "counter",
    help: "Parts of the audit that were verified.",
    labels: ["result"],
  },
  keywarden_admin_calls_total: {
    type: "counter",
    help: "Calls of the admin plane that ended.",
    labels: ["method", "status"],
  },
  keywarden_admin_call_duration_seconds: {
    type: "histogram",
    help: "Time from a call of the admin plane to its reply.",
    labels: ["method"],
    buckets: CHANGE_BUCKETS,
  },
  keywarden_workers: {
    type: "gauge",
    help: "Threads that verify, or are about to.",
    labels: [],
  },
  keywarden_worker_restarts_total: {
    type: "counter",
    help: "Threads that verified, died and were replaced.",
    labels: [],
  },
  keywarden_build_info: {
    type: "gauge",
    help: "Always 1.",
    labels: ["version", "node"],
  },
  process_cpu_seconds_total: {
    type: "counter",
    help: "User and system CPU time of all threads.",
    labels: [],
  },
  process_resident_memory_bytes: { type: "gauge", help: "Resident memory of all threads.", labels: [] },
  process_start_time_seconds: {
    type: "gauge",
    help: "When the process started, since the epoch.",
    labels: [],
  },
  process_open_fds: { type: "gauge", help: "Open file descriptors, on Linux.", labels: [] },
  process_max_fds: {
    type: "gauge",
    help: "File descriptors that may be open at once, on Linux.",
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

type MetricName = keyof typeof METRICS;

type MetricOf<Type extends MetricRow["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];

export type CounterName = MetricOf<"counter">;
export type GaugeName = MetricOf<"gauge">;
export type HistogramName = MetricOf<"histogram">;

/** What the values of each label are. */
export const LABELS: Readonly<Record<string, string>> = {
  door:
    "`grpc` (VerifyKey), `grpc_batch` (BatchVerifyKeys), `ext_authz` ([Envoy](../envoy.md)), `http_verify`, " +
    "`http_verify_batch` and `http_introspect` (of [HTTP](../http.md))",
  reason:
    "the [reason](reasons.md); where nothing was decided, the gRPC status, such as `UNAVAILABLE`. Each item of a batch is " +
    "counted by its own; the duration of a batch that was answered has `OK`",
  result:
    "of a look-up: `hit`, `unknown` (remembered as a token that does not exist) or `miss`; of a part of the audit: " +
    "`sound` or `broken`",
  cache: "`known` or `unknown` tokens",
  ledger:
    "`limits`: keys, with what they have spent of their rate limits; `failures`: sources, of their failure budgets",
  thread: "the number of a thread that verifies, from 1, or `main`",
  read: "`tokens`, `apis`, or `changes`: a cache that catches up after a change",
  record: "`api`, `key` or `token`",
  outcome:
    "of a change: `ok`, why it was refused (`EXISTS`, `CHANGED`, `HAS_KEYS`, `LAST_CREDENTIAL`), or `failed`; of TLS files: " +
    "`loaded`, or `refused` where the old ones stay in use; of a flush: `ok` or `failed`",
  change: "`create-api`, `update-api`, `delete-api`, `create-key`, `update-key` or `import-keys`",
  method: "the RPC, such as `CreateKey`",
  status: "the gRPC status, such as `OK`",
  version: "of Keywarden",
  node: "of Node.js",
};
