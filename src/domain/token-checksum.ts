/** Digits of base62 in their order. */
export const BASE62_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const DIGIT_OF_CODE = new Int8Array(128).fill(-1);
for (let digit = 0; digit < BASE62_DIGITS.length; digit++)
  DIGIT_OF_CODE[BASE62_DIGITS.charCodeAt(digit)] = digit;

/** What a character code stands for in base62; negative if nothing. */
export function base62Digit(code: number): number {
  return DIGIT_OF_CODE[code] ?? -1;
}

const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (ISO-HDLC, as in zlib) of the first `length` characters of an ASCII text. */
export function crc32(text: string, length: number): number {
  let crc = -1;
  for (let i = 0; i < length; i++) crc = (crc >>> 8) ^ (CRC_OF_BYTE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
