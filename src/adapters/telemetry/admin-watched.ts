import { v4 as uuidv4 } from "uuid";
import type { StatusName } from "../../domain/status.ts";
import type { Method, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { requestContext } from "./request-context.ts";
import { REQUEST_ID, WatchedCall } from "./watched-call.ts";

/** Not the caller's doing. */
const OWN_FAILURES: ReadonlySet<StatusName> = new Set(["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNKNOWN"]);

/**
 * A method of the admin plane, with its calls counted, timed and logged. Each has a request id: the client's own, or a
 * new one, which its audit event has too, and every line that is logged meanwhile.
 */
export function adminWatched(method: Method, metrics: Metrics, log: Logger): Method {
  if (method.kind !== "unary") return method;
  const name = method.path.slice(method.path.lastIndexOf("/") + 1);
  const watch = (call: UnaryCall<unknown, unknown>): void => {
    const began = performance.now();
    const requestId = requestIdOf(call);
    const ended = (status: StatusName, reason?: string): void => {
      const duration = performance.now() - began;
      metrics.adminCalls.inc({ method: name, status });
      metrics.adminCallDuration.observe({ method: name }, duration / 1000);
      const line = {
        method: name,
        status,
        reason,
        durationMs: Math.round(duration * 10) / 10,
        peer: call.peer,
      };
      log[OWN_FAILURES.has(status) ? "warn" : "debug"](line, "admin call");
    };
    const watched = new WatchedCall(
      call,
      {
        replied(response) {
          if (name === "VerifyAudit") metrics.auditChecks.inc({ result: auditResult(response) });
          ended("OK");
        },
        failed: ({ status, reason }) => ended(status, reason),
      },
      requestId,
    );
    requestContext.run({ requestId }, () => method.handle([watched]));
  };
  const watched: UnaryMethod = { ...method, handle: (calls) => calls.forEach(watch) };
  return watched;
}

/** The client's own name for its call, if it has one that can be kept, as the audit has it. */
function requestIdOf(call: UnaryCall<unknown, unknown>): string {
  const [given = ""] = call.metadata(REQUEST_ID);
  return /^[\x21-\x7e]{1,128}$/.test(given) ? given : uuidv4();
}

/** Of a VerifyAuditResponse. */
function auditResult(response: unknown): "sound" | "broken" {
  const problems =
    typeof response === "object" && response !== null && "problems" in response ? response.problems : [];
  return Array.isArray(problems) && problems.length === 0 ? "sound" : "broken";
}
