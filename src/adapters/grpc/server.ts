import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import type { Method } from "../../ports/transport.ts";
import type { GrpcLimits } from "./limits.ts";
import type { Listener } from "./listener.ts";
import { registerBidiStream, registerServerStream } from "./stream-call.ts";
import { registerUnary } from "./unary-call.ts";

export interface GrpcServerOptions {
  readonly listener: Listener;
  readonly methods: readonly Method[];
  readonly limits: GrpcLimits;
  /** Gets what a handler threw, and what could not be encoded; its caller sees INTERNAL and no more. */
  readonly onInternalError: (error: unknown, path: string) => void;
}

export interface GrpcServer {
  /** Host and port, such as `127.0.0.1:50051` or `[::1]:50051`. */
  readonly address: string;
  /**
   * Stops accepting connections and calls, lets the open calls finish, and closes what is left after `graceMs`.
   * Resolves when no connection is open. Draining again with a shorter grace cuts sooner.
   */
  drain(graceMs: number): Promise<void>;
}

/** Serves the methods over gRPC to whoever connects to the listener. */
export function startGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { listener, limits } = options;
  // It prints metadata that it cannot read, to standard error, with its value: an authorization may be among it.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server(channelOptions(limits));
  for (const method of options.methods) {
    register(server, method, options);
  }
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  listener.serve(limits.maxConnections, (socket) => connections.injectConnection(socket));
  return {
    address: listener.address,
    drain(graceMs) {
      const closed = listener.close(graceMs);
      connections.drain(graceMs);
      return closed;
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
