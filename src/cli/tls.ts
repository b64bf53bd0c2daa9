import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { ClientSettings } from "../settings.ts";
import { Failure, usage } from "./failure.ts";
import type { ClientTls } from "./rpc-client.ts";
import { unreadable } from "./unreadable.ts";

/**
 * What the settings say of TLS, with its files read; undefined: plaintext.
 * @throws Failure that names the file that cannot be used.
 */
export async function readTls(settings: ClientSettings): Promise<ClientTls | undefined> {
  const { tls, tlsCa, tlsClientCert, tlsClientKey, tlsServerName: serverName } = settings;
  if (!tls) return undefined;
  const [ca, cert, key] = await Promise.all([
    pemFile("--tls-ca", tlsCa),
    pemFile("--tls-client-cert", tlsClientCert),
    pemFile("--tls-client-key", tlsClientKey),
  ]);
  if (ca !== undefined) refuseUnless(isCertificate(ca), "--tls-ca", tlsCa, "certificate");
  if (cert !== undefined)
    refuseUnless(isCertificate(cert), "--tls-client-cert", tlsClientCert, "certificate");
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Failure(
      "usage",
      `--tls-client-key ${tlsClientKey} is not the unencrypted private key of --tls-client-cert ${tlsClientCert}`,
      [],
      error,
    );
  }
  return { ca, cert, key, serverName };
}

async function pemFile(flag: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return readFile(path).catch((error: unknown) => {
    throw unreadable(error, `the file of ${flag}`, resolve(path));
  });
}

function isCertificate(pem: Buffer): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function refuseUnless(isGood: boolean, flag: string, path: string | undefined, what: string): void {
  if (!isGood) throw usage(`the file of ${flag} ${path} holds no ${what} in PEM format`);
}

/** Why no connection came about, from what grpc-js says of it. */
export function unreachable(where: string, said: string, settings: ClientSettings): Failure | undefined {
  const [, cause = said] = /Last error: (?:Error: |Error )?(.*?)(?:\. Resolution note|$)/s.exec(said) ?? [];
  if (
    /alert certificate required|alert (bad|unknown|unsupported) certificate|alert unknown ca/i.test(cause)
  ) {
    return new Failure(
      "unreachable",
      `the server at ${where} does not accept the client's certificate, or wants one`,
      ["Say --tls-client-cert FILE and --tls-client-key FILE, from an authority that the server trusts."],
    );
  }
  if (/wrong version number|packet length too long/i.test(cause)) {
    return new Failure("unreachable", `the server at ${where} does not speak TLS`, [
      "Leave --tls and the other --tls- options out (KEYWARDEN_TLS…), if its network can be trusted.",
    ]);
  }
  if (/altnames/i.test(cause)) {
    return new Failure("unreachable", `the certificate of the server at ${where} is for another name`, [
      `${cause.replace(/^\[\w+\]: /, "")}.`,
      "Call it by a name of its certificate, or say --tls-server-name NAME.",
    ]);
  }
  if (/certificate/i.test(cause)) {
    return new Failure("unreachable", `the certificate of the server at ${where} is not trusted: ${cause}`, [
      "Say --tls-ca FILE, with the authority that has issued it.",
    ]);
  }
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(cause)) return undefined;
  const hint = settings.tls
    ? "One that wants a client certificate does so to a client without the right one: --tls-client-cert, --tls-client-key."
    : "One that has TLS does so to a client without it: add --tls-ca FILE, or --tls.";
  return new Failure("unreachable", `the server at ${where} closes the connection`, [hint]);
}
