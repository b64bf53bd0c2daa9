/** Writing the protobuf wire format by hand, for the one hot message. Each function returns where it ended. */

/** Bytes of a varint up to 2^53 at most. */
export const VARINT_SIZE = 8;

/** A whole number from 0 to 2^53, as a varint. */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Bytes that `writeVarint` needs. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Bytes that a field of milliseconds needs at most: tag, length, and two tagged varints. */
export const MOMENT_SIZE = 2 + 9 + 6;

/**
 * A google.protobuf.Timestamp or Duration field of a number of milliseconds, which must not be negative.
 * `tag` is the field's, of one byte and of the length-delimited type.
 */
export function writeMilliseconds(
  bytes: Uint8Array,
  offset: number,
  tag: number,
  milliseconds: number,
): number {
  bytes[offset] = tag;
  const start = offset + 2;
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = (milliseconds - seconds * 1000) * 1_000_000;
  let at = start;
  if (seconds > 0) {
    bytes[at++] = 0x08;
    at = writeVarint(bytes, at, seconds);
  }
  if (nanos > 0) {
    bytes[at++] = 0x10;
    at = writeVarint(bytes, at, nanos);
  }
  bytes[offset + 1] = at - start;
  return at;
}

/** Bytes that `writeText` needs at most. */
export function maxTextSize(text: string): number {
  return 1 + VARINT_SIZE + text.length * 3;
}

/** A string field. */
export function writeText(bytes: Uint8Array, offset: number, tag: number, text: string): number {
  bytes[offset] = tag;
  // Nearly all is ASCII, one byte a character, so that the length is known and a loop writes it.
  const start = writeVarint(bytes, offset + 1, text.length);
  let at = start;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return writeNonAsciiText(bytes, offset, text);
    bytes[at++] = code;
  }
  return at;
}

function writeNonAsciiText(bytes: Uint8Array, offset: number, text: string): number {
  const encoded = Buffer.from(text);
  return writeBytes(bytes, writeVarint(bytes, offset + 1, encoded.length), encoded);
}

/** Bytes that are there already. */
export function writeBytes(bytes: Uint8Array, offset: number, source: Uint8Array): number {
  bytes.set(source, offset);
  return offset + source.length;
}

/** Bytes that were kept as text, one a character. */
export function writeLatin1(bytes: Uint8Array, offset: number, text: string): number {
  return text === "" ? offset : offset + Buffer.prototype.latin1Write.call(bytes, text, offset);
}
