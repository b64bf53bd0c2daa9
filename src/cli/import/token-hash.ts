import type { Parsed } from "../../domain/parsed.ts";

/** How the column of tokens has them. */
export const HASH_FORMATS = ["sha256-hex", "sha256-base64", "sha256-base64url", "plaintext"] as const;
export type HashFormat = (typeof HASH_FORMATS)[number];

const SHAPES: Readonly<
  Record<
    Exclude<HashFormat, "plaintext">,
    { shape: RegExp; encoding: "hex" | "base64" | "base64url"; words: string }
  >
> = {
  "sha256-hex": { shape: /^[0-9a-fA-F]{64}$/, encoding: "hex", words: "64 hexadecimal digits" },
  "sha256-base64": {
    shape: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
    encoding: "base64",
    words: "44 characters of base64",
  },
  "sha256-base64url": {
    shape: /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/,
    encoding: "base64url",
    words: "43 characters of base64url",
  },
};

/** The 32 bytes of a hash. What is wrong with one says its length, and nothing of it. */
export function parseHash(text: string, format: Exclude<HashFormat, "plaintext">): Parsed<Uint8Array> {
  const { shape, encoding, words } = SHAPES[format];
  if (shape.test(text)) return { value: Buffer.from(text, encoding) };
  return { problem: `a SHA-256 is ${words} (--hash ${format}), and this has ${text.length} characters` };
}
