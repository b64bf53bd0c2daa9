import { createLogger, type Logger } from "../adapters/telemetry/logger.ts";
import { standardOutput } from "../adapters/telemetry/standard-output.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import type { ServeSettings } from "../settings.ts";

/** A thread's log, on the standard output of the process. */
export function openLog(
  { logLevel, logFormat }: Pick<ServeSettings, "logLevel" | "logFormat">,
  counts: ThreadCounts,
): Logger {
  const destination = standardOutput(() => counts.add("logLinesDropped"));
  return createLogger({ level: logLevel, format: logFormat, destination });
}
