import type { RequestListener } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Listener } from "../grpc/listener.ts";
import type { Admit } from "./credential-gate.ts";
import { createHttpApp, refuse, type ServedApp, serveApp } from "./http-app.ts";
import { ADMIN_HTTP_LIMITS, type HttpLimits, type TlsTermination } from "./http-server.ts";
import { problem } from "./problem.ts";

/** What readiness is told by: every plane serves, or not yet, or not any more. */
export type Readiness = "starting" | "serving" | "draining";

interface AdminHttpOptions {
  readonly listener: Listener;
  /** Undefined: in plaintext. */
  readonly tls?: TlsTermination | undefined;
  readonly readiness: () => Readiness;
  /** What Prometheus reads. */
  readonly exposition: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Asked before the metrics are shown; undefined: whoever can connect may see them. */
  readonly admit?: Admit | undefined;
  readonly onInternalError: (error: unknown, path: string) => void;
  /** Wraps what answers requests, such as in spans. */
  readonly watch?: (handle: RequestListener) => RequestListener;
  readonly limits?: HttpLimits;
}

/** What a credential needs to see the metrics. */
const METRICS_SCOPE = "usage:read";

/** No request has a body that anybody reads. */
const MOST_BODY_BYTES = 65_536;

const READ_ONLY = "GET, HEAD";

/** Answers /metrics, /healthz and /readyz to whoever connects to the listener. */
export async function startAdminHttp(options: AdminHttpOptions): Promise<ServedApp> {
  const { listener, tls, limits = ADMIN_HTTP_LIMITS, onInternalError, watch = (handle) => handle } = options;
  const app = createHttpApp({
    limits,
    maxBodyBytes: MOST_BODY_BYTES,
    watch,
    allowed: { "/healthz": READ_ONLY, "/readyz": READ_ONLY, "/metrics": READ_ONLY },
    onInternalError,
  });
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  addRoutes(app, options);
  return serveApp(app, { listener, limits, tls });
}

function addRoutes(app: FastifyInstance, { readiness, exposition, admit }: AdminHttpOptions): void {
  app.get("/healthz", async () => ({ status: "alive" }));
  app.get("/readyz", async (_request, reply) => {
    const state = readiness();
    return state === "serving"
      ? { status: state }
      : refuse(reply, problem(503, state === "starting" ? "not serving yet" : "not serving any more"));
  });
  app.get("/metrics", async ({ raw, ip }, reply) => {
    // Node keeps only the first of several under its usual name.
    await admit?.(raw.headersDistinct["authorization"] ?? [], METRICS_SCOPE, ip);
    const { contentType, text } = await exposition();
    return reply.type(contentType).send(text);
  });
}
