import { formatHostPort, type HostPort, isLoopback } from "./values.ts";

/** The files that a server is given for TLS. */
interface GivenTls {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsClientCa?: string | undefined;
  readonly tlsCallers?: string | undefined;
}

/** What of a server's settings says who can reach it, and how. */
interface ServerExposure extends GivenTls {
  readonly grpc: HostPort | null;
  readonly http: HostPort | null;
  readonly adminGrpc: HostPort | null;
  readonly adminHttp: HostPort | null;
  readonly insecurePlaintext: boolean;
}

/** PEM files, by their paths. */
interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** All files that a server reads for TLS. */
export interface ServerTlsFiles {
  /** Undefined: none, or not both of certificate and key. */
  readonly tls: ServerTls | undefined;
  readonly callers: string | undefined;
}

export function serverTlsFiles(given: GivenTls): ServerTlsFiles {
  return { tls: serverTls(given), callers: given.tlsCallers };
}

/** Undefined: connections are in plaintext. */
export function serverTls({ tlsCert, tlsKey, tlsClientCa }: GivenTls): ServerTls | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa };
}

/** Callers of the data plane need a credential at a listener that other machines reach. */
export function needsCallers(place: HostPort | null): boolean {
  return place !== null && !isLoopback(place);
}

/** Each way in which a server's TLS settings contradict each other, or leave a listener open to readers. */
export function serverTlsProblems(exposure: ServerExposure): readonly string[] {
  const { grpc, http, adminGrpc, adminHttp, insecurePlaintext } = exposure;
  const { tlsCert, tlsKey, tlsClientCa, tlsCallers } = exposure;
  const problems = [
    ...needs("--tls-cert", tlsCert, "--tls-key", tlsKey),
    ...needs("--tls-key", tlsKey, "--tls-cert", tlsCert),
    ...needs("--tls-client-ca", tlsClientCa, "--tls-cert", tlsCert ?? tlsKey),
    ...needs("--tls-callers", tlsCallers, "--tls-client-ca", tlsClientCa),
  ];
  if (tlsCert !== undefined || tlsKey !== undefined) {
    return insecurePlaintext ? [...problems, CONTRADICTION] : problems;
  }
  if (insecurePlaintext) return problems;
  return [
    ...problems,
    ...open("--grpc", grpc, "tokens"),
    ...open("--http", http, "tokens"),
    ...open("--admin-grpc", adminGrpc, "the admin token and new tokens"),
    ...open("--admin-http", adminHttp, "credentials"),
  ];
}

const CONTRADICTION =
  "--insecure-plaintext and --tls-cert (KEYWARDEN_INSECURE_PLAINTEXT, KEYWARDEN_TLS_CERT) contradict each other: leave one out";

function needs(
  flag: string,
  value: string | undefined,
  otherFlag: string,
  other: string | undefined,
): readonly string[] {
  if (value === undefined || other !== undefined) return [];
  return [
    `${flag} needs ${otherFlag} (${variableOf(flag)}, ${variableOf(otherFlag)}): give both, or neither`,
  ];
}

function open(flag: string, place: HostPort | null, what: string): readonly string[] {
  if (place === null || isLoopback(place)) return [];
  return [
    `${flag} (${variableOf(flag)}) ${formatHostPort(place)} can be reached by other machines: ${what} could be read ` +
      "on the way. Give it a certificate with --tls-cert and --tls-key (KEYWARDEN_TLS_CERT, KEYWARDEN_TLS_KEY), listen " +
      "on 127.0.0.1, or, on a network that you trust, add --insecure-plaintext (KEYWARDEN_INSECURE_PLAINTEXT=true)",
  ];
}

function variableOf(flag: string): string {
  return `KEYWARDEN_${flag.slice(2).replaceAll("-", "_").toUpperCase()}`;
}

/** What of a client's settings says how it reaches a server. */
interface ClientExposure {
  readonly insecurePlaintext: boolean;
  readonly tls: boolean;
  readonly tlsCa?: string | undefined;
  readonly tlsClientCert?: string | undefined;
  readonly tlsClientKey?: string | undefined;
  readonly tlsServerName?: string | undefined;
}

/** Whatever only makes sense with TLS turns it on. */
export function usesTls({ tls, tlsCa, tlsClientCert, tlsClientKey, tlsServerName }: ClientExposure): boolean {
  return tls || [tlsCa, tlsClientCert, tlsClientKey, tlsServerName].some((value) => value !== undefined);
}

/** Each way in which a client's TLS settings contradict each other. */
export function clientTlsProblems(exposure: ClientExposure): readonly string[] {
  const { insecurePlaintext, tlsClientCert, tlsClientKey } = exposure;
  const problems = [
    ...needs("--tls-client-cert", tlsClientCert, "--tls-client-key", tlsClientKey),
    ...needs("--tls-client-key", tlsClientKey, "--tls-client-cert", tlsClientCert),
  ];
  if (!insecurePlaintext || !usesTls(exposure)) return problems;
  return [
    ...problems,
    "--insecure-plaintext contradicts --tls and the other --tls- options (KEYWARDEN_INSECURE_PLAINTEXT, KEYWARDEN_TLS): leave one out",
  ];
}
