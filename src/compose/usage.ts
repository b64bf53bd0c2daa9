import type { Logger } from "../adapters/telemetry/logger.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { UsageRecorder } from "../app/usage-recorder.ts";
import type { UsageWrites } from "../ports/store.ts";
import type { ServeSettings } from "../settings.ts";

/** What writes down the usage that all threads have counted. To be closed before the store, and after the threads. */
export function openUsage(
  settings: Pick<ServeSettings, "usageFlush" | "usageRetention">,
  store: UsageWrites,
  counts: ThreadCounts,
  log: Logger,
): UsageRecorder {
  return new UsageRecorder({
    store,
    interval: settings.usageFlush,
    retention: settings.usageRetention,
    now: Date.now,
    onFlush: (outcome) => counts.add(outcome === "ok" ? "usageFlushed" : "usageNotFlushed"),
    onProblem: (error) => log.warn({ err: error }, "usage can't be written now; it waits and is tried again"),
    onLoss: () => log.error("usage is being lost: more waits to be written than may"),
  });
}
