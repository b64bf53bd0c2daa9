/** A secret is this many random bytes. */
export const SECRET_BYTES = 32;
/** Its base64 (RFC 4648 §4) has this many characters, the last of which is `=`. */
export const ENCODED_BYTES = 44;

const ALPHABET = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PADDING = "=".charCodeAt(0);

// Node's own base64 goes through strings, which nobody can zero.

/** The secret in base64, and a line feed. */
export function encodeSecret(secret: Uint8Array): Buffer {
  const text = Buffer.alloc(ENCODED_BYTES + 1);
  for (let at = 0, to = 0; at < SECRET_BYTES; at += 3, to += 4) {
    const [first = 0, second = 0, third = 0] = secret.subarray(at, at + 3);
    const bits = (first << 16) | (second << 8) | third;
    for (let digit = 0; digit < 4 && to + digit < ENCODED_BYTES - 1; digit++) {
      text[to + digit] = ALPHABET[(bits >> (18 - 6 * digit)) & 63] ?? 0;
    }
  }
  text[ENCODED_BYTES - 1] = PADDING;
  text[ENCODED_BYTES] = "\n".charCodeAt(0);
  return text;
}

/** The secret that these 44 characters are; undefined if they are not the base64 of any. */
export function decodeSecret(text: Uint8Array): Buffer | undefined {
  if (text.length !== ENCODED_BYTES || text[ENCODED_BYTES - 1] !== PADDING) return undefined;
  const secret = Buffer.alloc(SECRET_BYTES);
  let bits = 0;
  for (let at = 0; at < ENCODED_BYTES - 1; at++) {
    const value = ALPHABET.indexOf(text[at] ?? 0);
    if (value < 0) {
      secret.fill(0);
      return undefined;
    }
    bits = ((bits & 0xffff) << 6) | value;
    const whole = Math.floor(((at + 1) * 6) / 8);
    if (whole > Math.floor((at * 6) / 8)) secret[whole - 1] = bits >> (((at + 1) * 6) % 8);
  }
  // Of the last character, two bits are left over. Any but 0 would be another text for the same secret.
  if ((bits & 0b11) === 0) return secret;
  secret.fill(0);
  return undefined;
}
