import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Method } from "../../ports/transport.ts";
import type { GrpcLimits } from "./limits.ts";
import { registerBidiStream, registerServerStream } from "./stream-call.ts";
import { registerUnary } from "./unary-call.ts";

export interface GrpcServerOptions {
  readonly methods: readonly Method[];
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The setting that gave host and port, such as `--grpc`: error messages name it. */
  readonly setting: string;
  readonly limits: GrpcLimits;
  /** Gets what a handler threw, and what could not be encoded; its caller sees INTERNAL and no more. */
  readonly onInternalError: (error: unknown, path: string) => void;
}

export interface GrpcServer {
  readonly port: number;
  /** Host and port, such as `127.0.0.1:50051` or `[::1]:50051`. */
  readonly address: string;
  /**
   * Stops accepting connections and calls, lets the open calls finish, and closes what is left after `graceMs`.
   * Resolves when no connection is open. Draining again with a shorter grace cuts sooner.
   */
  drain(graceMs: number): Promise<void>;
}

/**
 * Serves the methods over gRPC. Rejects with FAILED_PRECONDITION if it cannot listen there: PORT_IN_USE, or
 * CANNOT_LISTEN for any other reason.
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  // It prints metadata that it cannot read, to standard error, with its value: an authorization may be among it.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server(channelOptions(options.limits));
  for (const method of options.methods) {
    register(server, method, options);
  }
  // A listener of our own: grpc-js's has no limit of connections, prints its failures, and hides their codes.
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    connections.injectConnection(socket);
  });
  listener.maxConnections = options.limits.maxConnections;
  const port = await listen(listener, options);

  return {
    port,
    address: hostAndPort(options.host, port),
    drain(graceMs) {
      return new Promise((resolve) => {
        const force = setTimeout(() => {
          for (const socket of sockets) {
            socket.destroy();
          }
        }, graceMs);
        listener.close(() => {
          clearTimeout(force);
          resolve();
        });
        connections.drain(graceMs);
      });
    },
  };
}

function channelOptions(limits: GrpcLimits) {
  return {
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc-node.max_session_memory": limits.maxSessionMemoryMb,
    "grpc.max_connection_age_ms": limits.maxConnectionAgeMs,
    "grpc.max_connection_age_grace_ms": limits.maxConnectionAgeGraceMs,
    "grpc.keepalive_time_ms": limits.keepaliveTimeMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
  };
}

function register(server: Server, method: Method, { limits, onInternalError }: GrpcServerOptions): void {
  const streamOptions = { maxUnsentMessages: limits.maxUnsentMessages, reportError: onInternalError };
  switch (method.kind) {
    case "unary":
      registerUnary(server, method, onInternalError);
      break;
    case "server-stream":
      registerServerStream(server, method, streamOptions);
      break;
    case "bidi-stream":
      registerBidiStream(server, method, streamOptions);
      break;
  }
}

/** Resolves with the port. */
function listen(listener: NetServer, { host, port, setting }: GrpcServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once("error", (error: NodeJS.ErrnoException) => {
      reject(listenError(error, hostAndPort(host, port), setting));
    });
    listener.listen({ host, port }, () => {
      const bound = listener.address();
      resolve(isAddressInfo(bound) ? bound.port : port);
    });
  });
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return address !== null && typeof address === "object";
}

function listenError(error: NodeJS.ErrnoException, address: string, setting: string): KeywardenError {
  if (error.code === "EADDRINUSE") {
    return new KeywardenError({
      status: "FAILED_PRECONDITION",
      reason: "PORT_IN_USE",
      message: `${setting}: ${address} is taken by another program. Stop that one, or choose another port, such as ${setting} 127.0.0.1:0 for any free one.`,
      cause: error,
    });
  }
  return new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason: "CANNOT_LISTEN",
    message: `${setting}: cannot listen on ${address} (${error.code ?? error.message}). Give an address of this machine and a port that you may open, such as ${setting} 127.0.0.1:0.`,
    cause: error,
  });
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
