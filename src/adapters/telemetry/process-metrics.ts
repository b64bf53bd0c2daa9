import { readdirSync, readFileSync } from "node:fs";
import type { Registry } from "prom-client";
import { counter, gauge } from "./table-metrics.ts";

/**
 * What every process tells, by the names that Prometheus's own libraries give it. prom-client's collection of these
 * would also watch the main thread's garbage collection and event loop, and names a gauge as if it were a counter.
 */
export function registerProcessMetrics(registry: Registry): void {
  counter(registry, "process_cpu_seconds_total", (metric) => {
    const { user, system } = process.cpuUsage();
    metric.reset();
    metric.inc((user + system) / 1e6);
  });
  gauge(registry, "process_resident_memory_bytes", (metric) => metric.set(process.memoryUsage.rss()));
  gauge(registry, "process_start_time_seconds").set(performance.timeOrigin / 1000);
  if (process.platform !== "linux") return;
  // One of them is this look itself.
  gauge(registry, "process_open_fds", (metric) => metric.set(readdirSync("/proc/self/fd").length - 1));
  const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  if (limit !== undefined) gauge(registry, "process_max_fds").set(Number(limit));
}
