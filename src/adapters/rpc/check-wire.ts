/** What is no protobuf message, or ends too early. */
export class MalformedFields extends Error {}

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;
const BIT32 = 5;
/** Of a number that is a length or a tag: more would not fit into 32 bits. */
const MOST_BYTES = 5;
/** Of any number. */
const MOST_VARINT_BYTES = 10;

/**
 * Walks over the fields of the message `bytes[start, end)` that hold texts, bytes and messages, in their order; the others
 * are passed over. It makes nothing but itself: what a field holds stays where it is, between `start` and `stop`.
 */
export class ContentFields {
  /** Of the field that is being looked at. */
  number = 0;
  start = 0;
  stop = 0;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes to the next such field; false if there is none. Throws MalformedFields. */
  next(): boolean {
    while (this.#at < this.#end) {
      const tag = this.#length();
      const type = tag & 7;
      if (tag < 8) throw new MalformedFields("a field has no number");
      if (type === LENGTH_DELIMITED) {
        const length = this.#length();
        this.number = tag >>> 3;
        this.start = this.#at;
        this.stop = this.#skip(length);
        return true;
      }
      if (type === VARINT) this.#skipVarint();
      else if (type === BIT64) this.#skip(8);
      else if (type === BIT32) this.#skip(4);
      else throw new MalformedFields("a field has a type that nobody uses");
    }
    return false;
  }

  /** A number below 2^32. Nearly all are of one byte, or of two. */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const second = this.#byte();
    if (second < 0x80) return (first & 0x7f) | (second << 7);
    let value = (first & 0x7f) | ((second & 0x7f) << 7);
    let scale = 1 << 14;
    for (let read = 2; read < MOST_BYTES; read++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new MalformedFields("a number is too large");
  }

  #byte(): number {
    if (this.#at < this.#end) return this.#bytes[this.#at++] ?? 0;
    throw new MalformedFields("a number ends too early");
  }

  #skipVarint(): void {
    for (let read = 0; read < MOST_VARINT_BYTES; read++) if (this.#byte() < 0x80) return;
    throw new MalformedFields("a number is too large");
  }

  #skip(length: number): number {
    this.#at += length;
    if (this.#at > this.#end) throw new MalformedFields("a field is longer than what holds it");
    return this.#at;
  }
}

/** One character a byte: a header's bytes are ASCII, or of no meaning that everybody agrees on (RFC 9110 section 5.5). */
export function latin1(bytes: Uint8Array, start: number, stop: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, stop);
}
