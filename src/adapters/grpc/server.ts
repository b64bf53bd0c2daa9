import type { Socket } from "node:net";
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import type { Method } from "../../ports/transport.ts";
import type { TlsSource } from "../tls/tls-source.ts";
import type { CertificatesByPeer } from "./call-context.ts";
import type { GrpcLimits } from "./limits.ts";
import type { Listener } from "./listener.ts";
import { registerBidiStream, registerServerStream } from "./stream-call.ts";
import { registerUnary } from "./unary-call.ts";

export interface GrpcServerOptions {
  readonly listener: Listener;
  readonly methods: readonly Method[];
  readonly limits: GrpcLimits;
  /** Undefined: connections are in plaintext. */
  readonly tls?: TlsSource | undefined;
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
  const certificates = new Map<string, readonly string[]>();
  for (const method of options.methods) {
    register(server, method, options, certificates);
  }
  // "Insecure" as grpc-js sees it: TLS ends before.
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  const tls = options.tls?.terminator((socket, names) => {
    if (names.length > 0) keepNames(certificates, socket, names);
    connections.injectConnection(socket);
  });
  listener.serve(limits.maxConnections, (socket) => {
    if (tls === undefined) connections.injectConnection(socket);
    else tls.accept(socket);
  });
  return {
    address: listener.address,
    drain(graceMs) {
      const closed = listener.close(graceMs);
      tls?.drain();
      connections.drain(graceMs);
      return closed;
    },
  };
}

/** Until the connection is closed. */
function keepNames(
  certificates: Map<string, readonly string[]>,
  socket: Socket,
  names: readonly string[],
): void {
  // As grpc-js names a call's peer.
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  certificates.set(peer, names);
  socket.once("close", () => {
    if (certificates.get(peer) === names) certificates.delete(peer);
  });
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

function register(
  server: Server,
  method: Method,
  { limits, onInternalError }: GrpcServerOptions,
  certificates: CertificatesByPeer,
): void {
  const options = {
    certificates,
    maxUnsentMessages: limits.maxUnsentMessages,
    reportError: onInternalError,
  };
  switch (method.kind) {
    case "unary":
      registerUnary(server, method, options);
      break;
    case "server-stream":
      registerServerStream(server, method, options);
      break;
    case "bidi-stream":
      registerBidiStream(server, method, options);
      break;
  }
}
