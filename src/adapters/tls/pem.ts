import type { NamedFile } from "./read-file.ts";
import { tlsRefusal } from "./tls-refusal.ts";

/** One `-----BEGIN …-----` to its `-----END …-----`. */
interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=:,.\-\s]*?-----END \1-----/g;

/**
 * Every block of a PEM file (RFC 7468), in order; text around them is passed over.
 * Throws FAILED_PRECONDITION TLS_UNREADABLE if a block begins and does not end: the file is only half written.
 */
export function pemBlocks({ setting, path }: NamedFile, content: string): readonly PemBlock[] {
  const blocks = [...content.matchAll(BLOCK)].map(([text, label = ""]) => ({ label, text }));
  if (content.replace(BLOCK, "").includes("-----")) {
    throw tlsRefusal(
      "TLS_UNREADABLE",
      `${setting} ${path} is cut off or damaged: a PEM block in it does not end. Write it whole, or rename a whole one there`,
    );
  }
  return blocks;
}
