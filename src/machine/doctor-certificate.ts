import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Finding } from "../domain/finding.ts";

const SOON = 14 * 86_400_000;

/** What is wrong with the server's certificate. `now`: milliseconds since the epoch. */
export function certificateFindings(path: string, now: number): readonly Finding[] {
  const file = resolve(path);
  const next = "Replace the file: a server that runs reads it again by itself";
  let end: number;
  try {
    end = new X509Certificate(readFileSync(file)).validToDate.getTime();
  } catch (error) {
    const what = `the certificate ${file} can't be read (${error instanceof Error ? error.message : "unknown"})`;
    return [
      { severity: "error", code: "CERTIFICATE_UNREADABLE", what, next: "Say with --tls-cert where it is" },
    ];
  }
  const date = new Date(end).toISOString();
  if (end <= now) {
    return [
      {
        severity: "error",
        code: "CERTIFICATE_EXPIRED",
        what: `the certificate ${file} ended at ${date}`,
        next,
      },
    ];
  }
  if (end - now > SOON) return [];
  return [
    {
      severity: "warning",
      code: "CERTIFICATE_EXPIRES",
      what: `the certificate ${file} ends at ${date}`,
      next,
    },
  ];
}
