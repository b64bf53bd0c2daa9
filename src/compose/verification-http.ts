import type { Listener } from "../adapters/grpc/listener.ts";
import { startDataHttp } from "../adapters/http/data-http.ts";
import type { ServedApp } from "../adapters/http/http-app.ts";
import { introspection } from "../adapters/http/introspection.ts";
import { jsonTwin } from "../adapters/http/json-twin.ts";
import type { Verify } from "../adapters/rpc/caller-admission.ts";
import { batchVerifyKeys, verifyKey } from "../adapters/rpc/verify-service.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import { metered } from "../adapters/telemetry/metered.ts";
import type { Door } from "../adapters/telemetry/outcome.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { VerifyService } from "../gen/keywarden/v1/verify_service_pb.ts";
import type { UnaryMethod } from "../ports/transport.ts";
import type { ServeSettings } from "../settings.ts";
import type { Traces } from "./traces.ts";
import type { TransportSecurity } from "./transport-security.ts";

export interface VerificationHttpParts {
  readonly listener: Listener;
  readonly settings: ServeSettings;
  readonly security: TransportSecurity;
  readonly verify: Verify;
  readonly counts: ThreadCounts;
  readonly traces: Traces;
  readonly log: Logger;
}

/** The data plane over HTTP, in a thread that verifies. */
export function startVerificationHttp(parts: VerificationHttpParts): Promise<ServedApp> {
  const { listener, settings, security, verify, counts, traces, log } = parts;
  const { tls } = security;
  const gate = { ...security.gate, required: settings.httpCallersRequired };
  const issuer = settings.issuer ?? `${tls === undefined ? "http" : "https"}://${listener.address}`;
  const measured = (method: UnaryMethod, door: Door) => metered(method, door, counts);
  const { method } = VerifyService;
  return startDataHttp({
    listener,
    tls: tls && { terminator: (accept) => tls.terminator(accept, "http/1.1") },
    methods: {
      "/v1/verify": measured(jsonTwin(verifyKey(verify, gate), method.verifyKey), "http_verify"),
      "/v1/verify:batch": measured(
        jsonTwin(batchVerifyKeys(verify, gate), method.batchVerifyKeys),
        "http_verify_batch",
      ),
    },
    introspection: measured(introspection(verify, gate, issuer), "http_introspect"),
    authorizationServer: { issuer, acceptsCertificates: settings.tlsCallers !== undefined },
    onInternalError: (error, path) => log.error({ err: error, path }, "internal error"),
    watch: traces.traceHttp,
  });
}
