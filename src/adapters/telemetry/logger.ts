import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/**
 * A log on standard output: a JSON object a line, or lines for people. Whatever is logged by accident under a name
 * that holds secrets is left out; tokens are `Token`s, which print as their hint.
 */
export function createLogger({
  level,
  format,
}: {
  level: string;
  format: "auto" | "json" | "pretty";
}): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ["token", "*.token", "authorization", "*.authorization"], censor: "[redacted]" },
  };
  if (format === "json" || (format === "auto" && process.stdout.isTTY !== true)) {
    return pino(options, pino.destination({ dest: 1, sync: true }));
  }
  const colorize = process.stdout.isTTY === true && !process.env["NO_COLOR"];
  return pino(
    options,
    pretty({ colorize, sync: true, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname" }),
  );
}
