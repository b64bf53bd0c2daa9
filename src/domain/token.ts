import { inspect } from "node:util";
import { BASE62_DIGITS, base62Digit, crc32 } from "./token-checksum.ts";

/** A shape of tokens that were issued elsewhere. */
export interface ImportedTokenShape {
  /** Printable ASCII; may be empty. */
  readonly prefix: string;
  /** Characters, prefix included. */
  readonly minLength: number;
  readonly maxLength: number;
}

/** What a token of our own says of itself. */
export interface NativeToken {
  readonly prefix: string;
  readonly environment: string;
}

const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const SECRET_LENGTH = RANDOM_LENGTH + CHECKSUM_LENGTH;
const LABEL_LENGTH = 16;
const HINT_LENGTH = 4;
/** Of a shorter token, four characters would be too much to show. */
const SHORTEST_HINTED = 16;
const UNDERSCORE = 95;

/** A secret that prints as its hint, wherever it ends up: log, error, template, JSON, debugger. */
export class Token {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static of(text: string): Token {
    return new Token(text);
  }

  /** The secret itself: for hashing it, and for the one response that shows it. */
  reveal(): string {
    return this.#text;
  }

  /** The readable part: `c2p_live_…a1B2` of our own tokens, `…a1B2` of others, `…` where even that is too much. */
  get hint(): string {
    const native = parseNativeToken(this.#text);
    const head = native === undefined ? "" : `${native.prefix}_${native.environment}_`;
    const tail = this.#text.slice(-HINT_LENGTH);
    const shown = this.#text.length >= SHORTEST_HINTED && isPrintable(tail);
    return `${head}…${shown ? tail : ""}`;
  }

  toString(): string {
    return this.hint;
  }

  toJSON(): string {
    return this.hint;
  }

  [inspect.custom](): string {
    return this.hint;
  }
}

/**
 * A new token, `<prefix>_<environment>_<32 random><6 of CRC-32>`: 190 bits of randomness in base62, and a checksum over
 * all that precedes it, so that a mistyped or edited token is refused before anything is looked up.
 * `randomBytes` gives n bytes of a cryptographic source. Throws RangeError for labels that no token can have.
 */
export function generateToken(
  prefix: string,
  environment: string,
  randomBytes: (n: number) => Uint8Array,
): Token {
  if (!isTokenLabel(prefix) || !isTokenLabel(environment)) {
    throw new RangeError(
      "a token's prefix and environment are 1 to 16 of a-z and 0-9, starting with a letter",
    );
  }
  const checked = `${prefix}_${environment}_${randomBase62(randomBytes)}`;
  return Token.of(checked + base62Checksum(crc32(checked, checked.length)));
}

/**
 * What a token of our own shape says of itself; undefined for any other text, a wrong checksum included.
 * It is asked for every request, before any hash: one pass, and nothing allocated but the answer.
 */
export function parseNativeToken(text: string): NativeToken | undefined {
  const secret = text.length - SECRET_LENGTH;
  if (secret < 4 || secret > 2 * (LABEL_LENGTH + 1)) return undefined;
  if (text.charCodeAt(secret - 1) !== UNDERSCORE) return undefined;
  const middle = text.indexOf("_");
  if (!isLabel(text, 0, middle) || !isLabel(text, middle + 1, secret - 1)) return undefined;
  const checked = text.length - CHECKSUM_LENGTH;
  if (!isBase62(text, secret, checked)) return undefined;
  if (checksumIn(text, checked) !== crc32(text, checked)) return undefined;
  return { prefix: text.slice(0, middle), environment: text.slice(middle + 1, secret - 1) };
}

/** Can this be a token's prefix or environment? 1 to 16 of a-z and 0-9, starting with a letter. */
export function isTokenLabel(text: string): boolean {
  return isLabel(text, 0, text.length);
}

/** Is this printable ASCII without a space? True of the empty text. */
export function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

export function matchesImportedShape(text: string, shape: ImportedTokenShape): boolean {
  return (
    text.length >= shape.minLength &&
    text.length <= shape.maxLength &&
    text.startsWith(shape.prefix) &&
    isPrintable(text)
  );
}

function isLabel(text: string, start: number, end: number): boolean {
  if (end <= start || end - start > LABEL_LENGTH || !isLowerCase(text.charCodeAt(start))) return false;
  for (let i = start + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isLowerCase(code) && (code < 48 || code > 57)) return false;
  }
  return true;
}

function isLowerCase(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isBase62(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (base62Digit(text.charCodeAt(i)) < 0) return false;
  return true;
}

/** The checksum that the text ends with, or a negative number. 62^6 exceeds 2^32, so each has one spelling. */
function checksumIn(text: string, start: number): number {
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const digit = base62Digit(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 62 + digit;
  }
  return value;
}

function base62Checksum(checksum: number): string {
  let text = "";
  for (let rest = checksum; text.length < CHECKSUM_LENGTH; rest = Math.floor(rest / 62)) {
    text = BASE62_DIGITS.charAt(rest % 62) + text;
  }
  return text;
}

/** Unbiased: of 256 byte values the last 8 are thrown away, so that each digit stands for exactly 4. */
function randomBase62(randomBytes: (n: number) => Uint8Array): string {
  let text = "";
  // One round is enough in all but one case of 10^9; a source that fills none in 16 is broken.
  for (let round = 0; round < 16; round++) {
    for (const byte of randomBytes(2 * RANDOM_LENGTH)) {
      if (byte < 248) text += BASE62_DIGITS.charAt(byte % 62);
      if (text.length === RANDOM_LENGTH) return text;
    }
  }
  throw new RangeError("the source of randomness gives no usable bytes");
}
