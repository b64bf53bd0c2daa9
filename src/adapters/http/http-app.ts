import type { RequestListener } from "node:http";
import type { Duplex } from "node:stream";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Listener } from "../grpc/listener.ts";
import { createHttpServer, type HttpLimits, serveHttp, type TlsTermination } from "./http-server.ts";
import { BEARER_CHALLENGE, PROBLEM_TYPE, type Problem, problem, problemOf } from "./problem.ts";

interface HttpAppOptions {
  readonly limits: HttpLimits;
  readonly maxBodyBytes: number;
  /** Wraps what answers requests, such as in spans. */
  readonly watch: (handle: RequestListener) => RequestListener;
  /** The methods that go to each path, as the header Allow has them. */
  readonly allowed: Readonly<Record<string, string>>;
  readonly onInternalError: (error: unknown, path: string) => void;
}

/** Nothing that is answered here is a page, may be kept, or may be used by one. */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * A server without routes, and without a parser of bodies. What goes wrong is answered as problem details; what is not
 * there with 404, and another method than is allowed with 405.
 */
export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const { limits, maxBodyBytes, watch, allowed, onInternalError } = options;
  const app = Fastify({
    serverFactory: (handle) => createHttpServer(limits, watch(handle)),
    bodyLimit: maxBodyBytes,
    // Of addresses that can't be decoded: what is refused before anything else.
    frameworkErrors: (error, _request, reply) =>
      void refuse(reply.headers(SECURITY_HEADERS), problemOf(error)),
    logger: false,
  });
  app.removeAllContentTypeParsers();
  app.addHook("onSend", async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  app.setErrorHandler(problemAnswer(onInternalError));
  app.setNotFoundHandler(({ url }, reply) => {
    const path = pathOf(url);
    const allow = Object.hasOwn(allowed, path) ? allowed[path] : undefined;
    if (allow === undefined) return refuse(reply, problem(404, "there is nothing here"));
    return refuse(reply.header("allow", allow), problem(405, `what goes here: ${allow}`));
  });
  return app;
}

/** Answers what was thrown while a request was read or handled, and reports what is ours. */
function problemAnswer(onInternalError: HttpAppOptions["onInternalError"]) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = problemOf(error);
    if (known.status === 500) onInternalError(error, pathOf(request.url));
    if (known.status === 401) reply.header("www-authenticate", BEARER_CHALLENGE);
    return refuse(reply, known);
  };
}

/** Without the query. */
function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

interface AppServing {
  readonly listener: Listener;
  readonly limits: HttpLimits;
  /** Undefined: in plaintext. */
  readonly tls: TlsTermination | undefined;
  readonly onNames?: (socket: Duplex, names: readonly string[]) => void;
}

export interface ServedApp {
  /** Host and port, such as `127.0.0.1:8081`. */
  readonly address: string;
  /** Takes no more connections, and gives open requests so many milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** Serves the app to whoever connects to the listener. */
export async function serveApp(
  app: FastifyInstance,
  { listener, limits, tls, onNames }: AppServing,
): Promise<ServedApp> {
  let isClosing = false;
  app.addHook("onSend", async (_request, reply) => {
    if (isClosing) reply.header("connection", "close");
  });
  await app.ready();
  const stop = serveHttp(app.server, listener, limits, tls, onNames);
  return {
    address: listener.address,
    async close(graceMs) {
      isClosing = true;
      await stop(graceMs);
      await app.close();
    },
  };
}

export function refuse(reply: FastifyReply, answer: Problem): FastifyReply {
  return reply.code(answer.status).type(PROBLEM_TYPE).send(answer);
}
