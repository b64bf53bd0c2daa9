import { hashToken } from "../../domain/digest.ts";
import type { Parsed } from "../../domain/parsed.ts";
import {
  type ImportedTokenShape,
  isPrintable,
  matchesImportedShape,
  parseNativeToken,
} from "../../domain/token.ts";
import type { RowReaderOptions, TokenFacts } from "./row-reader.ts";
import { type HashFormat, parseHash } from "./token-hash.ts";

const END_LENGTH = 4;
/** The server takes no more. */
const LONGEST_START = 24;

/** What the rows' tokens will belong to. */
export interface TokenPlace {
  readonly apiId: string;
  readonly environment: string;
  readonly tokenPrefix: string;
  readonly shapes: readonly ImportedTokenShape[];
}

/** Reads hashed tokens; nothing but its row's own word is known of each. */
export function hashedTokens(
  format: Exclude<HashFormat, "plaintext">,
  isNative: boolean,
): RowReaderOptions["readToken"] {
  return (text, start, tokenEnd) => {
    const hash = parseHash(text.trim(), format);
    if ("problem" in hash) return hash;
    return {
      value: {
        token: { case: "tokenSha256", value: hash.value },
        nativeToken: isNative,
        tokenStart: start.slice(0, LONGEST_START),
        tokenEnd,
      },
    };
  };
}

/**
 * Reads tokens themselves, and hashes them at once. Problems say their lengths, and nothing of them. A token that the API
 * would never look up is one.
 */
export function plainTokens(place: TokenPlace): RowReaderOptions["readToken"] {
  return (text) => {
    const shape = shapeOf(text, place);
    if ("problem" in shape) return shape;
    const token = { case: "tokenSha256", value: Buffer.from(hashToken(text), "latin1") } as const;
    return { value: { token, ...shape.value, tokenEnd: text.slice(-END_LENGTH) } };
  };
}

function shapeOf(text: string, place: TokenPlace): Parsed<Pick<TokenFacts, "nativeToken" | "tokenStart">> {
  const { apiId, environment, tokenPrefix, shapes } = place;
  const native = parseNativeToken(text);
  if (native?.prefix === tokenPrefix) {
    if (native.environment === environment) return { value: { nativeToken: true } };
    return { problem: `is a token of Keywarden's own shape for another environment than ${environment}` };
  }
  if (!isPrintable(text))
    return { problem: "has other characters than printable ASCII: no client can send it" };
  const shape = shapes.find((known) => matchesImportedShape(text, known));
  if (shape !== undefined) return { value: { nativeToken: false, tokenStart: shape.prefix } };
  return {
    problem:
      `has ${text.length} characters, and none of the imported_token_shapes of ${apiId} admits it, so that it would never ` +
      "be looked up: add one with keywarden api apply",
  };
}
