import { isUtf8 } from "node:buffer";
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { FieldViolation } from "../../domain/keywarden-error.ts";
import { quote } from "../../domain/quote.ts";
import { fieldOf, type Kind, rangeProblem, WireType, wireTypeOf } from "./wire-kind.ts";

/** What is wrong with bytes that are no message of a type. */
export interface WireProblem {
  /** Undefined where no field can be told. */
  readonly violation: FieldViolation | undefined;
  /** In words, of the whole. */
  readonly message: string;
}

const WIRE_TYPES = ["a number", "8 bytes", "a text, bytes or message", "a group", "a group's end", "4 bytes"];
const MOST_VARINT_BYTES = 10;
/** Messages and unknown groups within each other. */
const MOST_DEPTH = 90;

/**
 * The first thing that `bytes[start, end)` have wrong as a message of the type: a field of another type, a number that does
 * not fit, a text that is not UTF-8, an end in the middle. protobuf-es reads on over most of it, as if the field were of its
 * own type, and cuts numbers: 2^32 is 0 then. What may be unknown, set twice or in any order is fine.
 */
export function wireProblem(
  schema: DescMessage,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): WireProblem | undefined {
  try {
    new Walk(bytes).message(schema, start, end, 0);
    return undefined;
  } catch (error) {
    if (error instanceof Mistake) return problemOf(error);
    throw error;
  }
}

/** Never leaves this file. */
class Mistake extends Error {
  /** Where, as far as it is known on the way out. */
  path = "";
}

/** The same mistake, seen from one level further out. */
function within(error: unknown, segment: string): unknown {
  if (error instanceof Mistake) {
    const joint = error.path === "" || error.path.startsWith("[") ? "" : ".";
    error.path = `${segment}${joint}${error.path}`;
  }
  return error;
}

function problemOf({ path, message }: Mistake): WireProblem {
  return path === ""
    ? { violation: undefined, message: `The request ${message}.` }
    : { violation: { field: path, description: message }, message: `${path}: ${message}` };
}

function otherType(expected: number, { wireType }: Tag): Mistake {
  return new Mistake(`is ${WIRE_TYPES[expected]}, and this is ${WIRE_TYPES[wireType]}`);
}

interface Tag {
  readonly number: number;
  readonly wireType: number;
  /** Where what it stands before begins. */
  readonly end: number;
}

/** What was read last is kept in fields, as every request goes through here. */
class Walk {
  readonly #bytes: Uint8Array;
  /** Of the number that was read last, the lower and the upper 32 bits. */
  #low = 0;
  #high = 0;
  /** Of the content that was read last. */
  #start = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(schema: DescMessage, start: number, end: number, depth: number): void {
    if (depth > MOST_DEPTH) throw new Mistake(`has more than ${MOST_DEPTH} messages within each other`);
    let counts: Map<number, number> | undefined;
    for (let at = start; at < end; ) {
      const tag = this.#tag(at, end);
      const field = fieldOf(schema, tag.number);
      if (field === undefined) {
        at = this.#skip(tag, end, depth);
      } else if (field.fieldKind === "list") {
        counts ??= new Map();
        const index = counts.get(tag.number) ?? 0;
        counts.set(tag.number, index + 1);
        at = this.#item(field, index, tag, end, depth);
      } else {
        at = this.#single(field, tag, end, depth);
      }
    }
  }

  #single(field: DescField, tag: Tag, end: number, depth: number): number {
    try {
      return field.fieldKind === "map"
        ? this.#entry(field, tag, end, depth)
        : this.#value(field, tag, end, depth);
    } catch (error) {
      throw within(error, field.name);
    }
  }

  #item(field: DescField, index: number, tag: Tag, end: number, depth: number): number {
    const isPacked =
      tag.wireType === WireType.LENGTH_DELIMITED && wireTypeOf(field) !== WireType.LENGTH_DELIMITED;
    try {
      return isPacked ? this.#packed(field, tag, end) : this.#value(field, tag, end, depth);
    } catch (error) {
      throw within(error, isPacked ? field.name : `${field.name}[${index}]`);
    }
  }

  #value(kind: Kind, tag: Tag, end: number, depth: number): number {
    const expected = wireTypeOf(kind);
    if (expected !== WireType.LENGTH_DELIMITED) {
      if (tag.wireType !== expected) throw otherType(expected, tag);
      return this.#number(kind, expected, tag.end, end);
    }
    const after = this.#expected(tag, end);
    const start = this.#start;
    if (kind.message !== undefined) this.message(kind.message, start, after, depth + 1);
    else if (kind.scalar === ScalarType.STRING && !this.#isText(start, after)) {
      throw new Mistake(`is a text in UTF-8, and these ${after - start} bytes are not`);
    }
    return after;
  }

  /** Nearly all are short and of ASCII. */
  #isText(start: number, end: number): boolean {
    let bits = 0;
    for (let at = start; at < end; at++) bits |= this.#bytes[at] ?? 0;
    return bits < 0x80 || isUtf8(this.#bytes.subarray(start, end));
  }

  /** Of a map. Its name stands in the path once it is known. */
  #entry(field: DescField & { fieldKind: "map" }, entry: Tag, end: number, depth: number): number {
    const last = this.#expected(entry, end);
    let name = "";
    try {
      for (let at = this.#start; at < last; ) {
        const tag = this.#tag(at, last);
        if (tag.number === 1) {
          at = this.#value({ scalar: field.mapKey, message: undefined, enum: undefined }, tag, last, depth);
          if (field.mapKey === ScalarType.STRING) name = `[${quote(this.#textThatEnds(tag, at))}]`;
        } else if (tag.number === 2) {
          at = this.#value(field, tag, last, depth + 1);
        } else {
          at = this.#skip(tag, last, depth);
        }
      }
    } catch (error) {
      throw within(error, name);
    }
    return last;
  }

  #textThatEnds(tag: Tag, end: number): string {
    this.#expected(tag, end);
    return Buffer.from(this.#bytes.subarray(this.#start, end)).toString();
  }

  /** As `#content`, if that is what the tag announces. */
  #expected(tag: Tag, end: number): number {
    if (tag.wireType === WireType.LENGTH_DELIMITED) return this.#content(tag.end, end);
    throw otherType(WireType.LENGTH_DELIMITED, tag);
  }

  #packed(kind: Kind, tag: Tag, end: number): number {
    const after = this.#content(tag.end, end);
    const wireType = wireTypeOf(kind);
    for (let at = this.#start; at < after; ) at = this.#number(kind, wireType, at, after);
    return after;
  }

  #tag(at: number, end: number): Tag {
    const after = this.#varint(at, end);
    const number = this.#low >>> 3;
    const wireType = this.#low & 7;
    if (this.#high !== 0 || number === 0 || wireType > WireType.BIT32) {
      throw new Mistake("is no protobuf message: a field has a number or type that there is not");
    }
    return { number, wireType, end: after };
  }

  #number(kind: Kind, wireType: number, at: number, end: number): number {
    if (wireType !== WireType.VARINT) return this.#fixed(wireType === WireType.BIT64 ? 8 : 4, at, end);
    const after = this.#varint(at, end);
    const problem = rangeProblem(kind, this.#low, this.#high);
    if (problem !== undefined) throw new Mistake(problem);
    return after;
  }

  /** Where what has a length before it ends; it begins at `#start`. */
  #content(at: number, end: number): number {
    this.#start = this.#varint(at, end);
    const after = this.#start + (this.#low >>> 0);
    if (this.#high === 0 && after <= end) return after;
    throw new Mistake("ends too early: it says that it is longer than what came");
  }

  #fixed(size: number, at: number, end: number): number {
    if (at + size <= end) return at + size;
    throw new Mistake("ends too early");
  }

  /** Where the number ends; it is in `#low` and `#high`. */
  #varint(start: number, end: number): number {
    let low = 0;
    let high = 0;
    for (let index = 0; index < MOST_VARINT_BYTES; index++) {
      const byte = this.#bytes[start + index];
      if (byte === undefined || start + index >= end) throw new Mistake("ends too early, within a number");
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low;
        this.#high = high;
        return start + index + 1;
      }
    }
    throw new Mistake(`has a number of more than ${MOST_VARINT_BYTES} bytes`);
  }

  /** Over a field that is not known. */
  #skip({ number, wireType, end: at }: Tag, end: number, depth: number): number {
    switch (wireType) {
      case WireType.VARINT:
        return this.#varint(at, end);
      case WireType.BIT64:
        return this.#fixed(8, at, end);
      case WireType.BIT32:
        return this.#fixed(4, at, end);
      case WireType.LENGTH_DELIMITED:
        return this.#content(at, end);
      case WireType.START_GROUP:
        return this.#skipGroup(number, at, end, depth + 1);
      default:
        throw new Mistake("is no protobuf message: a group ends that did not begin");
    }
  }

  #skipGroup(group: number, start: number, end: number, depth: number): number {
    if (depth > MOST_DEPTH) throw new Mistake(`has more than ${MOST_DEPTH} groups within each other`);
    for (let at = start; at < end; ) {
      const tag = this.#tag(at, end);
      if (tag.wireType === WireType.END_GROUP && tag.number === group) return tag.end;
      at = this.#skip(tag, end, depth);
    }
    throw new Mistake("ends too early, within a group");
  }
}
