import { createRequire } from "node:module";
import { isatty } from "node:tty";
import { type DestinationStream, type Logger, pino } from "pino";
import { REDACTED, redactFields, redactText } from "./redaction.ts";
import { requestContext } from "./request-context.ts";

export type { Logger };

const require = createRequire(import.meta.url);

/**
 * A log: a JSON object a line, or lines for people. No secret comes out, whatever is logged by
 * accident: neither in a field whose name says that it holds one, nor where a text looks like one. What is logged while
 * a call of the admin plane is served has its `requestId`.
 */
export function createLogger({
  level,
  format,
  destination,
}: {
  level: string;
  format: "auto" | "json" | "pretty";
  /** Where lines go: standard output, but in a test. */
  destination: DestinationStream;
}): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // A copy, as pino adds the line's own fields to it.
    mixin: () => ({ ...requestContext.getStore() }),
    formatters: { log: redactFields },
    // What a child is made with, which pino shows to no formatter.
    redact: { paths: ["token", "*.token", "authorization", "*.authorization"], censor: REDACTED },
    // `redactFields` has made plain data of the error by then.
    serializers: { err: (error: unknown) => error },
    hooks: { streamWrite: redactText },
  };
  // Asked of the system, as a worker thread's process.stdout is none, whatever it comes out at.
  const isTerminal = isatty(1);
  if (format === "json" || (format === "auto" && !isTerminal)) return pino(options, destination);
  const colorize = isTerminal && !process.env["NO_COLOR"];
  // Loaded for people only: a server in production writes JSON, and each thread would load it.
  const { prettyFactory }: typeof import("pino-pretty") = require("pino-pretty");
  const prettify = prettyFactory({ colorize, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname" });
  return pino(options, { write: (line) => destination.write(prettify(line)) });
}
