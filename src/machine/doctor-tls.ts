import { parseCallerFile } from "../adapters/tls/caller-file.ts";
import { readNamedFileSync } from "../adapters/tls/read-file.ts";
import { namedTlsFiles, parseTlsIdentity, type TlsFiles } from "../adapters/tls/tls-identity.ts";
import type { Finding } from "../domain/finding.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { ServerTlsFiles } from "../settings/tls.ts";

const SOON = 14 * 86_400_000;

/** What a server would say of the files, as its own readers do. `now`: milliseconds since the epoch. */
export function tlsFindings({ tls, callers }: ServerTlsFiles, now: number): readonly Finding[] {
  return [
    ...(tls === undefined ? [] : refusalOf(() => identityFindings(tls, now))),
    ...(callers === undefined ? [] : refusalOf(() => callerFindings(callers))),
  ];
}

function identityFindings(files: TlsFiles, now: number): readonly Finding[] {
  const { expireTime } = parseTlsIdentity(files, namedTlsFiles(files).map(readNamedFileSync), now);
  if (expireTime - now > SOON) return [];
  return [
    {
      severity: "warning",
      code: "CERTIFICATE_EXPIRES",
      what: `the certificate in --tls-cert ${files.cert} ends at ${new Date(expireTime).toISOString()}`,
      next: "Replace the file: a server that runs reads it again by itself",
    },
  ];
}

function callerFindings(path: string): readonly Finding[] {
  const file = { setting: "--tls-callers", path };
  parseCallerFile(file, readNamedFileSync(file));
  return [];
}

function refusalOf(look: () => readonly Finding[]): readonly Finding[] {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof KeywardenError)) throw error;
    const next = "Mend it: a server does not start with it, and one that runs keeps what it has read before";
    return [{ severity: "error", code: error.reason, what: error.message, next }];
  }
}
