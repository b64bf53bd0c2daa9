import type { RequestListener } from "node:http";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Tracing } from "./tracing.ts";

/** What answers that there is nothing: its path is whatever somebody has typed, and names no span. */
const NO_ROUTE: ReadonlySet<number> = new Set([400, 404]);

/**
 * The listener, with a span for each request that is sampled (OpenTelemetry, semantic conventions for HTTP): from its
 * headers to the end of the answer, or of the connection. Never a query, a header or a body.
 */
export function tracedHttp(handle: RequestListener, { tracer, parentOf }: Tracing): RequestListener {
  return (request, response) => {
    const { method = "", url = "" } = request;
    const metadata = (name: string) => request.headersDistinct[name] ?? [];
    const span = tracer.startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: { "http.request.method": method } },
      parentOf({ metadata }),
    );
    if (span.isRecording()) {
      response.once("close", () => {
        const { statusCode } = response;
        const [route = ""] = url.split("?");
        if (!NO_ROUTE.has(statusCode))
          span.updateName(`${method} ${route}`).setAttribute("http.route", route);
        span.setAttribute("http.response.status_code", statusCode);
        if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      });
    }
    handle(request, response);
  };
}
