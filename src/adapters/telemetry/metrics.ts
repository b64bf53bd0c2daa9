import { type Counter, type Histogram, Registry } from "prom-client";
import { type LedgerMemory, ledgerUse } from "../../app/limit-ledger-memory.ts";
import type { Change } from "../../ports/store.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { counter, gauge, histogram } from "./table-metrics.ts";
import { createThreadMemory } from "./thread-cells.ts";
import { ThreadCounts } from "./thread-counts.ts";
import { registerThreadMetrics } from "./thread-metrics.ts";

const CHANGES: readonly Change["kind"][] = [
  "create-api",
  "update-api",
  "delete-api",
  "create-key",
  "update-key",
  "import-keys",
];

const LEDGER_GAUGES = [
  ["keywarden_limit_entries", "entries"],
  ["keywarden_limit_entries_capacity", "capacity"],
] as const;

interface MetricsOptions {
  /** Keywarden's. */
  readonly version: string;
  /** By name: what is told of how full each is. */
  readonly ledgers?: Readonly<Record<string, LedgerMemory>>;
}

/** All that is told of this process. The main thread has it; the others count in the memory that it gives them. */
export class Metrics {
  /** What the main thread counts as every thread does. */
  readonly main: ThreadCounts;
  readonly commits: Counter;
  readonly commitDuration: Histogram;
  readonly auditChecks: Counter;
  readonly adminCalls: Counter;
  readonly adminCallDuration: Histogram;
  readonly #registry = new Registry();
  readonly #threads = new Map<string, Float64Array>();
  readonly #memories = new Map<number, SharedArrayBuffer>();
  readonly #workerRestarts: Counter;
  #revision = 0;

  constructor({ version, ledgers = {} }: MetricsOptions) {
    const registry = this.#registry;
    registerThreadMetrics(registry, this.#threads);
    this.commits = counter(registry, "keywarden_commits_total");
    this.commitDuration = histogram(registry, "keywarden_commit_duration_seconds");
    gauge(registry, "keywarden_store_revision", (metric) => metric.set(this.#revision));
    for (const [name, use] of LEDGER_GAUGES) {
      gauge(registry, name, (metric) => {
        for (const [ledger, memory] of Object.entries(ledgers))
          metric.set({ ledger }, ledgerUse(memory)[use]);
      });
    }
    this.auditChecks = counter(registry, "keywarden_audit_checks_total");
    this.adminCalls = counter(registry, "keywarden_admin_calls_total");
    this.adminCallDuration = histogram(registry, "keywarden_admin_call_duration_seconds");
    gauge(registry, "keywarden_workers", (metric) => metric.set(this.#memories.size));
    this.#workerRestarts = counter(registry, "keywarden_worker_restarts_total");
    gauge(registry, "keywarden_build_info").set({ version, node: process.versions.node }, 1);
    registerProcessMetrics(registry);
    // What alerts wait for begins at 0: Prometheus sees no increase in what was never there before.
    this.auditChecks.inc({ result: "broken" }, 0);
    for (const change of CHANGES) this.commits.inc({ change, outcome: "failed" }, 0);
    this.main = new ThreadCounts(this.#memoryOf("main"));
  }

  /** The memory in which the thread of this number counts, and in which the one that takes its place goes on. */
  threadMemory(worker: number): SharedArrayBuffer {
    const known = this.#memories.get(worker);
    if (known !== undefined) return known;
    const memory = this.#memoryOf(String(worker));
    this.#memories.set(worker, memory);
    return memory;
  }

  /** A thread that verified has died and is replaced. */
  workerRestarted(): void {
    this.#workerRestarts.inc();
  }

  /** The store has reached this revision. */
  reached(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  /** The text that Prometheus reads, and its content type. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #memoryOf(thread: string): SharedArrayBuffer {
    const memory = createThreadMemory();
    this.#threads.set(thread, new Float64Array(memory));
    return memory;
  }
}
