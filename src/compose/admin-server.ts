import { createHealth } from "../adapters/grpc/health.ts";
import { adminPlaneLimits } from "../adapters/grpc/limits.ts";
import type { Listener } from "../adapters/grpc/listener.ts";
import { reflectionMethods } from "../adapters/grpc/reflection.ts";
import { startGrpcServer } from "../adapters/grpc/server.ts";
import { adminMethods } from "../adapters/rpc/admin-service.ts";
import { selfMethods } from "../adapters/rpc/self-service.ts";
import { adminWatched } from "../adapters/telemetry/admin-watched.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import type { Metrics } from "../adapters/telemetry/metrics.ts";
import type { TlsSource } from "../adapters/tls/tls-source.ts";
import type { DecisionExplainer } from "../app/decision-explainer.ts";
import type { KeyVerifier } from "../app/verify-key.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { AdminService } from "../gen/keywarden/v1/admin_service_pb.ts";
import { SelfService } from "../gen/keywarden/v1/self_service_pb.ts";
import type { Authority } from "./authority.ts";
import type { Traces } from "./traces.ts";

interface AdminServerParts {
  readonly listener: Listener;
  /** Undefined: in plaintext. */
  readonly tls: TlsSource | undefined;
  readonly authority: Authority;
  /** For the credentials of those who call. */
  readonly verifier: KeyVerifier;
  readonly explainer: DecisionExplainer;
  readonly metrics: Metrics;
  readonly traces: Traces;
  readonly log: Logger;
}

export interface AdminServer {
  /** Tells who asks for its health that it serves. */
  open(): void;
  /** Serves nobody new, and gives open calls so many milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** The admin plane. It has the main thread for itself: whatever it does, no verification waits for it. */
export function startAdminServer(parts: AdminServerParts): AdminServer {
  const { listener, tls, authority, verifier, explainer, metrics, traces, log } = parts;
  const onInternalError = (error: unknown, path: string) => log.error({ err: error, path }, "internal error");
  const serving = { authority, verifyOne: verifier.verifyOne.bind(verifier), onInternalError };
  const methods = [...adminMethods(serving, explainer), ...selfMethods(serving)];
  const health = createHealth([AdminService.typeName, SelfService.typeName]);
  const server = startGrpcServer({
    listener,
    methods: [
      ...traces.trace(methods).map((method) => adminWatched(method, metrics, log)),
      ...health.methods,
      ...reflectionMethods([AdminService, SelfService, Health]),
    ],
    limits: adminPlaneLimits,
    tls,
    onInternalError,
  });
  return {
    open: () => health.set(true),
    close(graceMs) {
      health.shutDown();
      return server.drain(graceMs);
    },
  };
}
