import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { KeywardenError } from "../../domain/keywarden-error.ts";

/** Connections that wait for a server that starts; further ones are closed. */
const MOST_WAITING = 1_024;

export interface Place {
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The setting that gave host and port, such as `--grpc`: error messages name it. */
  readonly setting: string;
  /** Shares the port with other sockets of this user that do; the system deals out the connections among them. */
  readonly reusePort?: boolean;
}

/** A port that is taken. Who connects before it is served waits. */
export interface Listener {
  readonly port: number;
  /** Host and port, such as `127.0.0.1:50051` or `[::1]:50051`. */
  readonly address: string;
  /** Hands over every connection from now on, and those that wait; further ones than `maxConnections` are closed. */
  serve(maxConnections: number, accept: (socket: Socket) => void): void;
  /** Takes no more connections; resolves when the last one is closed, which after `graceMs` is done by force. */
  close(graceMs: number): Promise<void>;
}

/**
 * Takes a port, so that a start that can't have it fails before it has touched anything else.
 * Rejects with FAILED_PRECONDITION: PORT_IN_USE, or CANNOT_LISTEN for any other reason.
 */
export async function listen(place: Place): Promise<Listener> {
  const sockets = new Set<Socket>();
  let waiting: Socket[] = [];
  let accept = (socket: Socket): void => {
    waiting.push(socket);
  };
  // grpc-js's own listener has no limit of connections, prints its failures, and hides their codes.
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A client that resets its connection closes it, whoever has the socket by then.
    socket.on("error", () => {});
    accept(socket);
  });
  server.maxConnections = MOST_WAITING;
  const port = await bind(server, place);
  return {
    port,
    address: hostAndPort(place.host, port),
    serve(maxConnections, handOver) {
      server.maxConnections = maxConnections;
      accept = handOver;
      for (const socket of waiting) if (!socket.destroyed) handOver(socket);
      waiting = [];
    },
    close(graceMs) {
      return new Promise((resolve) => {
        const force = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, graceMs);
        server.close(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

/** Resolves with the port. */
function bind(server: Server, { host, port, setting, reusePort = false }: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(listenError(error, hostAndPort(host, port), setting));
    });
    server.listen({ host, port, reusePort }, () => {
      const bound = server.address();
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
