import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { pemBlocks } from "./pem.ts";
import type { NamedFile } from "./read-file.ts";
import { tlsRefusal } from "./tls-refusal.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, then those between it and a root. */
  readonly cert: string;
  readonly key: string;
  /** The certificate authorities of clients, each of which then has to show a certificate; undefined: none is asked for. */
  readonly clientCa: string | undefined;
}

/** What a server shows of itself, and whom it takes client certificates from: read, and found to fit together. */
export interface TlsIdentity {
  readonly options: Required<Pick<SecureContextOptions, "cert" | "key">> & { readonly ca?: string };
  /** Milliseconds since the epoch: when the server's certificate ends. */
  readonly expireTime: number;
  /** The names that it is for, as people read them. */
  readonly names: string;
}

/** The files in the order in which `parseTlsIdentity` takes their contents. */
export function namedTlsFiles({ cert, key, clientCa }: TlsFiles): readonly NamedFile[] {
  return [
    { setting: "--tls-cert", path: cert },
    { setting: "--tls-key", path: key },
    ...(clientCa === undefined ? [] : [{ setting: "--tls-client-ca", path: clientCa }]),
  ];
}

/**
 * Reads the contents of the files. `now`: milliseconds since the epoch.
 * Throws FAILED_PRECONDITION: TLS_UNREADABLE, TLS_MISMATCH, TLS_EXPIRED, TLS_NOT_YET_VALID.
 */
export function parseTlsIdentity(files: TlsFiles, contents: readonly string[], now: number): TlsIdentity {
  const [certFile, keyFile, caFile] = namedTlsFiles(files);
  const [certText = "", keyText = "", caText = ""] = contents;
  if (certFile === undefined || keyFile === undefined) throw new TypeError("a pair of files is needed");
  const [leaf, ...between] = certificatesIn(certFile, certText);
  if (leaf === undefined) throw noCertificate(certFile);
  const key = privateKeyIn(keyFile, keyText);
  if (!leaf.checkPrivateKey(key)) {
    throw tlsRefusal(
      "TLS_MISMATCH",
      `--tls-key ${files.key} is not the key of the certificate in --tls-cert ${files.cert}: replace both together`,
    );
  }
  refuseOutside(certFile, leaf, now);
  const options = {
    cert: pem([leaf, ...between]),
    key: key.export({ type: "pkcs8", format: "pem" }),
    ...(caFile === undefined ? {} : { ca: pem(authoritiesIn(caFile, caText, now)) }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const why = error instanceof Error && "reason" in error ? ` (${String(error.reason)})` : "";
    throw tlsRefusal(
      "TLS_UNREADABLE",
      `--tls-cert ${files.cert} and --tls-key ${files.key} cannot be used by OpenSSL${why}`,
      error,
    );
  }
  const names = leaf.subjectAltName ?? leaf.subject.replaceAll("\n", ", ");
  return { options, expireTime: leaf.validToDate.getTime(), names };
}

/** The certificate that is in use has ended. */
export function expired({ setting, path }: NamedFile, at: Date): KeywardenError {
  return tlsRefusal(
    "TLS_EXPIRED",
    `the certificate in ${setting} ${path} has expired on ${at.toISOString()}: put one there that is valid now`,
  );
}

function authoritiesIn(file: NamedFile, text: string, now: number): readonly X509Certificate[] {
  const authorities = certificatesIn(file, text);
  const [last] = authorities.toSorted((a, b) => b.validToDate.getTime() - a.validToDate.getTime());
  if (last === undefined) throw noCertificate(file);
  // A bundle may carry old ones along; without any that is valid no client could come in.
  if (last.validToDate.getTime() <= now) throw expired(file, last.validToDate);
  return authorities;
}

function refuseOutside(file: NamedFile, { validFromDate, validToDate }: X509Certificate, now: number): void {
  if (now >= validToDate.getTime()) throw expired(file, validToDate);
  if (now >= validFromDate.getTime()) return;
  const { setting, path } = file;
  throw tlsRefusal(
    "TLS_NOT_YET_VALID",
    `the certificate in ${setting} ${path} is valid from ${validFromDate.toISOString()} on: check this machine's clock, or put one there that is valid now`,
  );
}

function certificatesIn(file: NamedFile, content: string): readonly X509Certificate[] {
  return pemBlocks(file, content)
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ text }) => {
      try {
        return new X509Certificate(text);
      } catch (error) {
        throw tlsRefusal(
          "TLS_UNREADABLE",
          `${file.setting} ${file.path} has a certificate that cannot be read: write it again, in PEM format`,
          error,
        );
      }
    });
}

function noCertificate({ setting, path }: NamedFile): KeywardenError {
  return tlsRefusal(
    "TLS_UNREADABLE",
    `${setting} ${path} holds no certificate: it must be in PEM format, with -----BEGIN CERTIFICATE-----`,
  );
}

function privateKeyIn(file: NamedFile, content: string): KeyObject {
  const { setting, path } = file;
  const block = pemBlocks(file, content).find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (block === undefined) {
    throw tlsRefusal(
      "TLS_UNREADABLE",
      `${setting} ${path} holds no private key: it must be in PEM format, with -----BEGIN PRIVATE KEY-----`,
    );
  }
  if (block.label.startsWith("ENCRYPTED") || block.text.includes("ENCRYPTED")) {
    throw tlsRefusal(
      "TLS_UNREADABLE",
      `${setting} ${path} is encrypted with a passphrase, which nobody can type here: store it without one, readable by the server alone`,
    );
  }
  try {
    return createPrivateKey(block.text);
  } catch (error) {
    throw tlsRefusal(
      "TLS_UNREADABLE",
      `${setting} ${path} has a private key that cannot be read: write it again, in PEM format`,
      error,
    );
  }
}

function pem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join("");
}
