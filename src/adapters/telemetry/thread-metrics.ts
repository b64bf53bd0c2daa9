import type { Registry } from "prom-client";
import { type CounterName, type GaugeName, METRICS, type MetricRow } from "./metric-table.ts";
import { DOORS, OUTCOMES } from "./outcome.ts";
import { counter, gauge, histogram } from "./table-metrics.ts";
import {
  BUCKETS,
  CELL_NAMES,
  CELLS,
  type CellName,
  FIRST_BUCKET,
  SECONDS,
  seriesStart,
  TOTAL,
} from "./thread-cells.ts";

/** What the threads have counted, by their names. */
export type ThreadMemories = ReadonlyMap<string, Float64Array>;

/** Registers all that threads count: it is added up, or told of each, only when somebody asks. */
export function registerThreadMetrics(registry: Registry, threads: ThreadMemories): void {
  for (const metric of new Set(Object.values(CELLS).map((cell) => cell.metric))) {
    if (isCounter(metric)) registerCounter(registry, metric, threads);
    else registerGauge(registry, metric, threads);
  }
  registerVerifications(registry, threads);
  registerDurations(registry, threads);
}

function isCounter(name: CounterName | GaugeName): name is CounterName {
  return METRICS[name].type === "counter";
}

function registerCounter(registry: Registry, name: CounterName, threads: ThreadMemories): void {
  counter(registry, name, (metric) => {
    metric.reset();
    for (const { labels, value } of cellsOf(name, threads)) metric.inc(labels, value);
  });
}

function registerGauge(registry: Registry, name: GaugeName, threads: ThreadMemories): void {
  gauge(registry, name, (metric) => {
    metric.reset();
    for (const { labels, value } of cellsOf(name, threads)) metric.set(labels, value);
  });
}

/** The metric's cells in all threads; a gauge that a thread has never set is left out. */
function* cellsOf(name: CounterName | GaugeName, threads: ThreadMemories) {
  const row: MetricRow = METRICS[name];
  const byThread = row.labels.includes("thread");
  for (const [thread, memory] of threads) {
    for (const [index, cellName] of CELL_NAMES.entries()) {
      const cell = CELLS[cellName as CellName];
      const value = memory[index];
      if (cell.metric !== name || value === undefined || Number.isNaN(value)) continue;
      yield { labels: { ...cell.labels, ...(byThread && { thread }) }, value };
    }
  }
}

/** The numbers of each door and outcome, from all threads. */
function* series(threads: ThreadMemories) {
  for (const [door, doorName] of DOORS.entries()) {
    for (const [outcome, reason] of OUTCOMES.entries()) {
      const start = seriesStart(door, outcome);
      const sum = (offset: number): number => {
        let total = 0;
        for (const memory of threads.values()) total += memory[start + offset] ?? 0;
        return total;
      };
      yield { labels: { door: doorName, reason }, sum };
    }
  }
}

function registerVerifications(registry: Registry, threads: ThreadMemories): void {
  counter(registry, "keywarden_verifications_total", (metric) => {
    metric.reset();
    for (const { labels, sum } of series(threads)) {
      const total = sum(TOTAL);
      if (total > 0) metric.inc(labels, total);
    }
  });
}

/** prom-client has no way to put counted buckets into a histogram, but asks it for its values by these methods. */
function registerDurations(registry: Registry, threads: ThreadMemories): void {
  const name = "keywarden_verification_duration_seconds";
  const { type, help } = METRICS[name];
  const get = async () => ({ name, help, type, values: [...durations(name, threads)] });
  Object.assign(histogram(registry, name), { get, getForPromString: get });
}

function* durations(name: string, threads: ThreadMemories) {
  for (const { labels, sum } of series(threads)) {
    let count = 0;
    const values: { metricName: string; labels: Record<string, string>; value: number }[] = [];
    for (const [bucket, bound] of [...BUCKETS, "+Inf"].entries()) {
      count += sum(FIRST_BUCKET + bucket);
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: count });
    }
    if (count === 0) continue;
    yield* values;
    yield { metricName: `${name}_sum`, labels, value: sum(SECONDS) };
    yield { metricName: `${name}_count`, labels, value: count };
  }
}
