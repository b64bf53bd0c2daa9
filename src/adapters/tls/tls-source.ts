import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { certificateNames } from "./certificate-names.ts";
import { expired, namedTlsFiles, parseTlsIdentity, type TlsFiles, type TlsIdentity } from "./tls-identity.ts";
import { watchFiles } from "./watched-files.ts";

interface TlsSourceOptions {
  readonly files: TlsFiles;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** New connections get this from now on; those that are open stay as they are. */
  readonly onTlsReloaded: (identity: TlsIdentity) => void;
  /** Why what the files hold now is not used: what was read before stays in use. */
  readonly onTlsProblem: (error: KeywardenError) => void;
  /** Told of each connection that got no further than its handshake: why, and from which address. */
  readonly onTlsRefused?: (reason: string, peer: string) => void;
  /** What another thread has read of the files before: used if they can't be now. */
  readonly fallback?: TlsIdentity | undefined;
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
}

/** Turns connections into decrypted ones. */
interface TlsTerminator {
  accept(socket: Socket): void;
  /** Cuts those that have not finished their handshake, and takes no more. */
  drain(): void;
}

/** A server's certificate, kept up to date. */
export interface TlsSource {
  readonly identity: TlsIdentity;
  /**
   * For one listener. `accept` gets each connection that is through its handshake, with its client's names.
   * `protocol`: what is spoken on it, by its ALPN name; without one, HTTP/2.
   */
  terminator(
    accept: (socket: TLSSocket, names: readonly string[]) => void,
    protocol?: "h2" | "http/1.1",
  ): TlsTerminator;
  /** Looks at the files no more. */
  close(): void;
}

/** What a client needs for a handshake, slow networks included. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** TLS 1.2 with nothing that HTTP/2 forbids (RFC 9113 section 9.2.2), and the cheaper of equals first. */
const PROTOCOL = {
  minVersion: "TLSv1.2" as const,
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ].join(":"),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

/**
 * Reads the files, and again whenever they change. Client certificates are asked for, and needed, if there is a
 * `clientCa`. Without a fallback it throws FAILED_PRECONDITION: TLS_UNREADABLE, TLS_MISMATCH, TLS_EXPIRED, TLS_NOT_YET_VALID.
 */
export function openTls(options: TlsSourceOptions): TlsSource {
  const { files, now, onTlsReloaded, onTlsProblem, onTlsRefused, fallback, intervalMs } = options;
  const servers: Server[] = [];
  const named = namedTlsFiles(files);
  let toldOfEnd = false;
  const watched = watchFiles<TlsIdentity>({
    files: named,
    parse: (contents) => parseTlsIdentity(files, contents, now()),
    onChanged: (changed) => {
      identity = changed;
      toldOfEnd = false;
      for (const server of servers) server.setSecureContext({ ...PROTOCOL, ...changed.options });
      onTlsReloaded(changed);
    },
    onProblem: onTlsProblem,
    fallback,
    onLook: () => {
      const [cert] = named;
      if (toldOfEnd || cert === undefined || now() < identity.expireTime) return;
      toldOfEnd = true;
      onTlsProblem(expired(cert, new Date(identity.expireTime)));
    },
    ...(intervalMs === undefined ? {} : { intervalMs }),
  });
  let identity = watched.first;
  return {
    get identity() {
      return identity;
    },
    terminator(accept, protocol = "h2") {
      const server = createServer({
        ...PROTOCOL,
        ...identity.options,
        ALPNProtocols: [protocol],
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        requestCert: files.clientCa !== undefined,
        rejectUnauthorized: true,
      });
      servers.push(server);
      return terminatorOf(server, accept, onTlsRefused);
    },
    close: watched.close,
  };
}

function terminatorOf(
  server: Server,
  accept: (socket: TLSSocket, names: readonly string[]) => void,
  onRefused: TlsSourceOptions["onTlsRefused"],
): TlsTerminator {
  /** Connections in their handshake, by their peers. */
  const greeting = new Map<string, Socket>();
  let draining = false;
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    greeting.delete(peerOf(socket));
    if (draining) {
      socket.destroy();
      return;
    }
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    accept(socket, certificate === undefined ? [] : certificateNames(certificate));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // Of a certificate that was not accepted, or what OpenSSL said.
    const refused: unknown = socket.authorizationError;
    onRefused?.(String(refused ?? error.code ?? "unknown error"), socket.remoteAddress ?? "");
    socket.destroy();
  });
  return {
    accept(socket) {
      if (draining) {
        socket.destroy();
        return;
      }
      const peer = peerOf(socket);
      greeting.set(peer, socket);
      socket.once("close", () => {
        if (greeting.get(peer) === socket) greeting.delete(peer);
      });
      server.emit("connection", socket);
    },
    drain() {
      draining = true;
      for (const socket of greeting.values()) socket.destroy();
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
