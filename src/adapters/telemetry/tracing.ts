import { type Context, defaultTextMapGetter, ROOT_CONTEXT, type Tracer } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Call } from "../../ports/transport.ts";
import type { Logger } from "./logger.ts";
import { throttled } from "./throttled.ts";

export interface TracingOptions {
  /** Where spans go, over OTLP/HTTP: the whole address, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** Of the traces that begin here, how many are recorded: 0 to 1. One that began elsewhere is recorded if its parent is. */
  readonly sample: number;
  /** Keywarden's. */
  readonly version: string;
  /** `main`, or the number of a thread that verifies. */
  readonly thread: string;
  readonly log: Logger;
  /** Milliseconds that the collector has to take a batch, further attempts included; without it, five seconds. */
  readonly timeoutMs?: number;
}

/** Records the calls that a thread serves. */
export interface Tracing {
  readonly tracer: Tracer;
  /** The trace that a call is a part of, by its W3C `traceparent` and `tracestate`: gRPC's metadata, or HTTP's headers. */
  parentOf(call: Pick<Call, "metadata">): Context;
  /** Sends what is left, as far as that goes within so many milliseconds. Never rejects. */
  close(graceMs: number): Promise<void>;
}

/** Milliseconds that spans wait for each other. */
const BATCH_MS = 1_000;
/** Who waits for a collector that is down is told once a minute. */
const COMPLAINT_INTERVAL_MS = 60_000;

/**
 * Spans are sent from memory, 2,048 at most at a time, and dropped if they can't be: no call ever waits for a collector
 * or fails with it. This module is loaded only where there is one.
 */
export function openTracing(options: TracingOptions): Tracing {
  const { endpoint, sample, version, thread, log, timeoutMs = 5_000 } = options;
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: timeoutMs });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "keywarden",
      "service.version": version,
      "keywarden.thread": thread,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: complaining(exporter, endpoint, log),
        scheduledDelayMillis: BATCH_MS,
        exportTimeoutMillis: timeoutMs + BATCH_MS,
      }),
    ],
  });
  const propagator = new W3CTraceContextPropagator();
  return {
    tracer: provider.getTracer("keywarden", version),
    parentOf(call) {
      const [traceparent] = call.metadata("traceparent");
      if (traceparent === undefined) return ROOT_CONTEXT;
      const tracestate = call.metadata("tracestate").join(",");
      return propagator.extract(ROOT_CONTEXT, { traceparent, tracestate }, defaultTextMapGetter);
    },
    async close(graceMs) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, graceMs);
      await Promise.race([provider.shutdown().catch(() => {}), late.promise]);
      clearTimeout(timer);
    },
  };
}

/** The exporter, which logs that it fails, but not each time. */
function complaining(exporter: SpanExporter, endpoint: string, log: Logger): SpanExporter {
  const complain = throttled<Error | undefined>(COMPLAINT_INTERVAL_MS, (dropped, error) =>
    log.warn({ endpoint, dropped, why: error?.message }, "traces could not be sent, and are dropped"),
  );
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) complain(spans.length, result.error);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
