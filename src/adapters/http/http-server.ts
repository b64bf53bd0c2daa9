import { createServer, type RequestListener, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Listener } from "../grpc/listener.ts";
import { PROBLEM_TYPE, problem } from "./problem.ts";

/** What one client may take, in bytes and milliseconds. */
export interface HttpLimits {
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** From the connection's first byte, or the last response, to the end of a request's headers. */
  readonly headersTimeoutMs: number;
  /** To the end of the request. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction: of who asks, and doesn't read the answer. */
  readonly idleMs: number;
  /** Between two looks at the first two. */
  readonly checkMs: number;
}

export const ADMIN_HTTP_LIMITS: HttpLimits = {
  maxConnections: 256,
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveMs: 5_000,
  idleMs: 30_000,
  checkMs: 1_000,
};

/** For callers that verify: many connections, which they keep. */
export const DATA_HTTP_LIMITS: HttpLimits = {
  ...ADMIN_HTTP_LIMITS,
  // As many as over gRPC.
  maxConnections: 10_000,
  // Longer than the minute for which proxies and pools usually keep a connection: one that is about to close fails a call.
  keepAliveMs: 75_000,
};

/** Turns the listener's connections into decrypted ones, each with the names of its client's certificate. */
export interface TlsTermination {
  terminator(accept: (socket: Duplex, names: readonly string[]) => void): {
    accept(socket: Parameters<Parameters<Listener["serve"]>[1]>[0]): void;
    drain(): void;
  };
}

/** An HTTP/1.1 server for a listener's connections; it is never told to listen itself. */
export function createHttpServer(limits: HttpLimits, handle: RequestListener): Server {
  const server = createServer(
    {
      // Looked at below: Node answers who sends none, goes on with what is behind that, and lets two through.
      requireHostHeader: false,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
    },
    ofOneHost(handle),
  );
  server.timeout = limits.idleMs;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(error, socket));
  server.on("connect", (_request, socket) => answer(socket, 405, "nothing is tunnelled"));
  return server;
}

/** Refuses requests without exactly one Host (RFC 9112 section 3.2), and whatever is behind one on its connection. */
function ofOneHost(handle: RequestListener): RequestListener {
  const refused = new WeakSet<Duplex>();
  return (request, response) => {
    const { socket, headersDistinct, httpVersion } = request;
    if (refused.has(socket)) return;
    const hosts = headersDistinct["host"]?.length ?? 0;
    if (hosts === 1 || (hosts === 0 && httpVersion === "1.0")) {
      handle(request, response);
      return;
    }
    refused.add(socket);
    response.writeHead(400, { "content-type": PROBLEM_TYPE, connection: "close" });
    response.end(JSON.stringify(problem(400, "the header Host must be there once")));
  };
}

/**
 * Hands over every connection, and first tells `onNames` of those whose client has shown a certificate. Returns what stops
 * it: idle ones are closed, and the others get so many milliseconds.
 */
export function serveHttp(
  server: Server,
  listener: Listener,
  limits: HttpLimits,
  tls?: TlsTermination,
  onNames: (socket: Duplex, names: readonly string[]) => void = () => {},
): (graceMs: number) => Promise<void> {
  // Node begins to enforce its time limits with this event.
  server.emit("listening");
  const terminator = tls?.terminator((socket, names) => {
    if (names.length > 0) onNames(socket, names);
    server.emit("connection", socket);
  });
  listener.serve(limits.maxConnections, (socket) => {
    if (terminator === undefined) server.emit("connection", socket);
    else terminator.accept(socket);
  });
  return async (graceMs) => {
    const closed = listener.close(graceMs);
    terminator?.drain();
    // Ends the checks of time limits, and the connections that no request is open on.
    server.close(() => {});
    await closed;
  };
}

/** For what is no HTTP request that could be answered otherwise. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
  answer(socket, status, "the request cannot be read, is too large, or took too long");
}

/** Says what is wrong, and closes the connection. */
function answer(socket: Duplex, status: number, detail: string): void {
  const told = problem(status, detail);
  const body = JSON.stringify(told);
  socket.end(
    `HTTP/1.1 ${status} ${told.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
