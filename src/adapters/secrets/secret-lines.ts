import { decodeSecret, ENCODED_BYTES } from "./secret-encoding.ts";
import type { Refuse } from "./secret-refusal.ts";

/** What a source may give, in bytes. */
export const MOST_BYTES = 64 * 1024;
/** Each of them is tried for every unknown token. */
export const MOST_SECRETS = 16;

const LINE_FEED = "\n".charCodeAt(0);
const COMMENT = "#".charCodeAt(0);
const BLANKS = new Set([..." \t\r"].map((blank) => blank.charCodeAt(0)));

/** A secret that was read, and where its line is in the text, line feed included. */
export interface SecretLine<Secret> {
  readonly secret: Secret;
  readonly start: number;
  readonly end: number;
}

/**
 * Secrets in the order of their lines: one a line, blank lines and comments (`#`) aside. Each is given to `create` as 32
 * bytes, which are zeroed afterwards; `text` is left as it is.
 * Throws `refuse("UNREADABLE", …)` that names the line, and never says what is on it.
 */
export function readSecretLines<Secret extends { readonly id: string }>(
  text: Buffer,
  where: string,
  create: (secret: Uint8Array) => Secret,
  refuse: Refuse,
): readonly [SecretLine<Secret>, ...SecretLine<Secret>[]] {
  const found: SecretLine<Secret>[] = [];
  const numbers = new Map<string, number>();
  let number = 0;
  for (const { start, end } of linesOf(text)) {
    number += 1;
    const content = trimmed(text.subarray(start, end));
    if (content.length === 0 || content[0] === COMMENT) continue;
    const bytes = decodeSecret(content);
    if (bytes === undefined) {
      throw refuse("UNREADABLE", `${where}, line ${number}: ${problemWith(content)}`);
    }
    const secret = create(bytes);
    bytes.fill(0);
    const before = numbers.get(secret.id);
    if (before !== undefined) {
      throw refuse("UNREADABLE", `${where}, line ${number} repeats line ${before}: remove one of them`);
    }
    numbers.set(secret.id, number);
    found.push({ secret, start, end });
  }
  const [first, ...others] = found;
  if (first === undefined) {
    throw refuse(
      "UNREADABLE",
      `${where} holds no secret: write 32 random bytes in base64, one secret a line`,
    );
  }
  if (found.length > MOST_SECRETS) {
    throw refuse("UNREADABLE", `${where} holds ${found.length} secrets, and ${MOST_SECRETS} is the most`);
  }
  return [first, ...others];
}

function* linesOf(text: Buffer): Generator<{ readonly start: number; readonly end: number }> {
  for (let start = 0; start < text.length; ) {
    const at = text.indexOf(LINE_FEED, start);
    const end = at < 0 ? text.length : at + 1;
    yield { start, end };
    start = end;
  }
}

function trimmed(line: Buffer): Buffer {
  let [start, end] = [0, line.length];
  const isBlank = (at: number) => BLANKS.has(line[at] ?? 0) || line[at] === LINE_FEED;
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return line.subarray(start, end);
}

function problemWith({ length }: Buffer): string {
  return length === ENCODED_BYTES
    ? "these 44 characters are not 32 bytes in base64 (A-Z, a-z, 0-9, + and /, and = at the end)"
    : `it has ${length} characters, and 32 bytes in base64 have ${ENCODED_BYTES}`;
}
