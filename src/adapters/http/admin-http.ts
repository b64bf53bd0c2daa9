import type { RequestListener } from "node:http";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { Listener } from "../grpc/listener.ts";
import type { Admit } from "./credential-gate.ts";
import {
  ADMIN_HTTP_LIMITS,
  createHttpServer,
  type HttpLimits,
  serveHttp,
  type TlsTermination,
} from "./http-server.ts";
import { PROBLEM_TYPE, type Problem, problem, problemOf } from "./problem.ts";

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

export interface AdminHttp {
  /** Host and port, such as `127.0.0.1:8081`. */
  readonly address: string;
  /** Takes no more connections, and gives open requests so many milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** What a credential needs to see the metrics. */
const METRICS_SCOPE = "usage:read";

/** Nothing that is answered here is a page, may be kept, or may be used by one. */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** No request has a body that anybody reads. */
const MOST_BODY_BYTES = 65_536;

/** Answers /metrics, /healthz and /readyz to whoever connects to the listener. */
export async function startAdminHttp(options: AdminHttpOptions): Promise<AdminHttp> {
  const { listener, tls, limits = ADMIN_HTTP_LIMITS, onInternalError, watch = (handle) => handle } = options;
  const app = Fastify({
    serverFactory: (handle) => createHttpServer(limits, watch(handle)),
    bodyLimit: MOST_BODY_BYTES,
    // Of addresses that can't be decoded: what is refused before anything else.
    frameworkErrors: (error, _request, reply) =>
      void refuse(reply.headers(SECURITY_HEADERS), problemOf(error)),
    logger: false,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  let isClosing = false;
  app.addHook("onSend", async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (isClosing) reply.header("connection", "close");
  });
  app.setErrorHandler((error, request, reply) => {
    const known = problemOf(error);
    if (known.status === 500) onInternalError(error, request.url);
    if (known.status === 401) reply.header("www-authenticate", 'Bearer realm="keywarden"');
    return refuse(reply, known);
  });
  const paths = addRoutes(app, options);
  app.setNotFoundHandler(({ url }, reply) => {
    const [path = ""] = url.split("?");
    if (!paths.includes(path)) return refuse(reply, problem(404, "there is nothing here"));
    return refuse(reply.header("allow", "GET, HEAD"), problem(405, "GET and HEAD go here"));
  });
  await app.ready();
  const stop = serveHttp(app.server, listener, limits, tls);
  return {
    address: listener.address,
    async close(graceMs) {
      isClosing = true;
      await stop(graceMs);
      await app.close();
    },
  };
}

/** Returns their paths. */
function addRoutes(
  app: FastifyInstance,
  { readiness, exposition, admit }: AdminHttpOptions,
): readonly string[] {
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
  return ["/healthz", "/readyz", "/metrics"];
}

function refuse(reply: FastifyReply, answer: Problem): FastifyReply {
  return reply.code(answer.status).type(PROBLEM_TYPE).send(answer);
}
