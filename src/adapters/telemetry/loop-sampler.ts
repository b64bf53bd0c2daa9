import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ThreadCounts } from "./thread-counts.ts";

const INTERVAL_MS = 5_000;
/** Between two of Node's own looks at the loop; what it measures includes this wait. */
const RESOLUTION_MS = 10;
const NS_PER_S = 1e9;

/**
 * Tells how busy this thread's event loop is and how late it comes to its timers, anew every five seconds.
 * Returns what ends it.
 */
export function sampleEventLoop(counts: ThreadCounts): () => void {
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  lag.enable();
  // A thread that takes another's place goes on where that one ended.
  let told = 0;
  const sample = (): void => {
    const active = performance.eventLoopUtilization().active / 1000;
    counts.add("loopActiveSeconds", Math.max(0, active - told));
    told = active;
    counts.set("loopLagP99", lateness(lag.percentile(99)));
    counts.set("loopLagMax", lateness(lag.max));
    lag.reset();
  };
  const timer = setInterval(sample, INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
    lag.disable();
  };
}

function lateness(measuredNs: number): number {
  return Math.max(0, measuredNs / NS_PER_S - RESOLUTION_MS / 1000);
}
