import type { RequestListener } from "node:http";
import type { Logger } from "../adapters/telemetry/logger.ts";
import type { Method } from "../ports/transport.ts";
import type { ServeSettings } from "../settings.ts";

/** A thread's traces. */
export interface Traces {
  /** The methods, with their calls traced. */
  trace(methods: readonly Method[]): readonly Method[];
  /** What answers HTTP requests, with each traced. */
  traceHttp(handle: RequestListener): RequestListener;
  /** Sends what is left, for so many milliseconds at most, and never for longer than a second. */
  close(graceMs: number): Promise<void>;
}

/** Milliseconds. A thread that drains has that much left when its calls have taken all of its grace. */
const LONGEST_GOODBYE = 1_000;

const OFF: Traces = { trace: (methods) => methods, traceHttp: (handle) => handle, close: async () => {} };

/** Without a collector nothing is traced, wrapped or even loaded. `thread`: `main`, or a verification thread's number. */
export async function openTraces(
  { otlpEndpoint: endpoint, traceSample: sample }: ServeSettings,
  thread: string,
  log: Logger,
): Promise<Traces> {
  if (endpoint === undefined) return OFF;
  const [{ version }, { openTracing }, { traced }, { tracedHttp }] = await Promise.all([
    import("./version.ts"),
    import("../adapters/telemetry/tracing.ts"),
    import("../adapters/telemetry/traced.ts"),
    import("../adapters/telemetry/traced-http.ts"),
  ]);
  const tracing = openTracing({ endpoint, sample, version, thread, log });
  return {
    trace: (methods) => methods.map((method) => traced(method, tracing)),
    traceHttp: (handle) => tracedHttp(handle, tracing),
    close: (graceMs) => tracing.close(Math.min(graceMs, LONGEST_GOODBYE)),
  };
}
