import { type Attributes, type Span, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { Status, type StatusName } from "../../domain/status.ts";
import type { Failure, Method, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { isVerdict, outcomeIn } from "./outcome.ts";
import type { Tracing } from "./tracing.ts";
import { type Watch, WatchedCall } from "./watched-call.ts";

/** What a server's span calls an error: the rest is the client's doing (OpenTelemetry, semantic conventions for gRPC). */
const SERVER_ERRORS: ReadonlySet<StatusName> = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

/**
 * The method, with a span for each call that is sampled; one that is not goes through as it came. A span says what came
 * of the call, and of which key: a key's id opens nothing, and is what leads from a trace to the audit. Never a token.
 */
export function traced(method: Method, { tracer, parentOf }: Tracing): Method {
  if (method.kind !== "unary") return method;
  const [, service = "", name = ""] = method.path.split("/");
  const attributes = { "rpc.system": "grpc", "rpc.service": service, "rpc.method": name };
  const spanned = (call: UnaryCall<unknown, unknown>): UnaryCall<unknown, unknown> => {
    const span = tracer.startSpan(
      `${service}/${name}`,
      { kind: SpanKind.SERVER, attributes },
      parentOf(call),
    );
    return span.isRecording() ? new WatchedCall(call, watchOf(span, call)) : call;
  };
  const watched: UnaryMethod = { ...method, handle: (calls) => method.handle(calls.map(spanned)) };
  return watched;
}

function watchOf(span: Span, call: UnaryCall<unknown, unknown>): Watch {
  const end = (status: StatusName, attributes: Attributes): void => {
    // A call that its client has given up has ended, whatever its handler comes to after that.
    if (!span.isRecording()) return;
    span.setAttributes({ "rpc.grpc.status_code": Status[status], ...attributes });
    if (SERVER_ERRORS.has(status)) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  call.onCancel(() => end(Date.now() < call.deadline ? "CANCELLED" : "DEADLINE_EXCEEDED", {}));
  return {
    replied: (response) => end("OK", attributesOf(response)),
    failed: ({ status, reason }: Failure) => end(status, { "keywarden.reason": reason }),
  };
}

/** Of one verification; a batch says how many it holds. */
function attributesOf(response: unknown): Attributes {
  if (Array.isArray(response)) return { "keywarden.verifications": response.length };
  const outcome = outcomeIn(response);
  if (outcome instanceof KeywardenError) return { "keywarden.reason": outcome.reason };
  if (!isVerdict(outcome)) return {};
  const { reason, record } = outcome.decision;
  return { "keywarden.reason": reason, ...(record && { "keywarden.key_id": record.key.id }) };
}
