import { isUtf8 } from "node:buffer";
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { FieldViolation } from "../../domain/keywarden-error.ts";
import { quote } from "../../domain/quote.ts";

/** What is wrong with bytes that are no message of a type. */
export interface WireProblem {
  /** Undefined where no field can be told. */
  readonly violation: FieldViolation | undefined;
  /** In words, of the whole. */
  readonly message: string;
}

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const BIT32 = 5;
const WIRE_TYPES = ["a number", "8 bytes", "a text, bytes or message", "a group", "a group's end", "4 bytes"];
const MOST_VARINT_BYTES = 10;
/** Messages and unknown groups within each other. */
const MOST_DEPTH = 100;

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
    new Walk(bytes).message(schema, start, end, "", 0);
    return undefined;
  } catch (error) {
    if (error instanceof Mistake) return error.problem;
    throw error;
  }
}

/** Never leaves this file. */
class Mistake extends Error {
  readonly problem: WireProblem;

  constructor(field: string, description: string) {
    super(description);
    this.problem =
      field === ""
        ? { violation: undefined, message: `The request ${description}.` }
        : { violation: { field, description }, message: `${field}: ${description}` };
  }
}

function otherType(expected: number, { wireType }: Tag, path: string): Mistake {
  return new Mistake(path, `is ${WIRE_TYPES[expected]}, and this is ${WIRE_TYPES[wireType]}`);
}

/** What a field, an item of a list, or a key or value of a map is. */
type Kind = Pick<DescField, "message" | "scalar" | "enum">;

interface Tag {
  readonly number: number;
  readonly wireType: number;
  /** Where what it stands before begins. */
  readonly end: number;
}

interface Varint {
  /** The lower and the upper 32 bits. */
  readonly low: number;
  readonly high: number;
  readonly end: number;
}

class Walk {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** `path` is the message's own. */
  message(schema: DescMessage, start: number, end: number, path: string, depth: number): void {
    if (depth > MOST_DEPTH) throw new Mistake(path, `has more than ${MOST_DEPTH} messages within each other`);
    const counts = new Map<number, number>();
    for (let at = start; at < end; ) {
      const tag = this.#tag(at, end, path);
      const field = fieldOf(schema, tag.number);
      if (field === undefined) {
        at = this.#skip(tag, end, path, depth);
        continue;
      }
      const index = counts.get(tag.number) ?? 0;
      counts.set(tag.number, index + 1);
      at = this.#field(field, index, tag, end, path === "" ? field.name : `${path}.${field.name}`, depth);
    }
  }

  #field(field: DescField, index: number, tag: Tag, end: number, path: string, depth: number): number {
    switch (field.fieldKind) {
      case "map": {
        const { start, after } = this.#expected(tag, end, path);
        this.#entry(field, start, after, path, depth + 1);
        return after;
      }
      case "list":
        if (tag.wireType === LENGTH_DELIMITED && wireTypeOf(field) !== LENGTH_DELIMITED) {
          return this.#packed(field, tag, end, path);
        }
        return this.#value(field, tag, end, `${path}[${index}]`, depth);
      default:
        return this.#value(field, tag, end, path, depth);
    }
  }

  #value(kind: Kind, tag: Tag, end: number, path: string, depth: number): number {
    const expected = wireTypeOf(kind);
    if (expected !== LENGTH_DELIMITED) {
      if (tag.wireType !== expected) throw otherType(expected, tag, path);
      return this.#number(kind, expected, tag.end, end, path);
    }
    const { start, after } = this.#expected(tag, end, path);
    if (kind.message !== undefined) this.message(kind.message, start, after, path, depth + 1);
    else if (kind.scalar === ScalarType.STRING && !isUtf8(this.#bytes.subarray(start, after))) {
      throw new Mistake(path, `is a text in UTF-8, and these ${after - start} bytes are not`);
    }
    return after;
  }

  /** Of a map. Its name stands in the path once it is known. */
  #entry(
    field: DescField & { fieldKind: "map" },
    start: number,
    end: number,
    path: string,
    depth: number,
  ): void {
    let own = path;
    for (let at = start; at < end; ) {
      const tag = this.#tag(at, end, own);
      if (tag.number === 1) {
        const key = { scalar: field.mapKey, message: undefined, enum: undefined };
        const after = this.#value(key, tag, end, own, depth);
        if (field.mapKey === ScalarType.STRING) own = `${path}[${quote(this.#textThatEnds(tag, after))}]`;
        at = after;
      } else if (tag.number === 2) {
        at = this.#value(field, tag, end, own, depth);
      } else {
        at = this.#skip(tag, end, own, depth);
      }
    }
  }

  #textThatEnds(tag: Tag, end: number): string {
    const { start } = this.#expected(tag, end, "");
    return Buffer.from(this.#bytes.subarray(start, end)).toString();
  }

  #expected(tag: Tag, end: number, path: string): { start: number; after: number } {
    if (tag.wireType === LENGTH_DELIMITED) return this.#content(tag.end, end, path);
    throw otherType(LENGTH_DELIMITED, tag, path);
  }

  #packed(kind: Kind, tag: Tag, end: number, path: string): number {
    const { start, after } = this.#content(tag.end, end, path);
    const wireType = wireTypeOf(kind);
    for (let at = start; at < after; ) at = this.#number(kind, wireType, at, after, path);
    return after;
  }

  #tag(at: number, end: number, path: string): Tag {
    const { low, high, end: after } = this.#varint(at, end, path);
    const number = low >>> 3;
    const wireType = low & 7;
    if (high !== 0 || number === 0 || wireType > BIT32) {
      throw new Mistake(path, "is no protobuf message: a field has a number or type that there is not");
    }
    return { number, wireType, end: after };
  }

  #number(kind: Kind, wireType: number, at: number, end: number, path: string): number {
    if (wireType !== VARINT) return this.#fixed(wireType === BIT64 ? 8 : 4, at, end, path);
    const { low, high, end: after } = this.#varint(at, end, path);
    const problem = rangeProblem(kind, low, high);
    if (problem !== undefined) throw new Mistake(path, problem);
    return after;
  }

  #content(at: number, end: number, path: string): { start: number; after: number } {
    const { low, high, end: start } = this.#varint(at, end, path);
    const after = start + (low >>> 0);
    if (high === 0 && after <= end) return { start, after };
    throw new Mistake(path, "ends too early: it says that it is longer than what came");
  }

  #fixed(size: number, at: number, end: number, path: string): number {
    if (at + size <= end) return at + size;
    throw new Mistake(path, "ends too early");
  }

  #varint(start: number, end: number, path: string): Varint {
    let low = 0;
    let high = 0;
    for (let index = 0; index < MOST_VARINT_BYTES; index++) {
      const byte = this.#bytes[start + index];
      if (byte === undefined || start + index >= end)
        throw new Mistake(path, "ends too early, within a number");
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) return { low, high, end: start + index + 1 };
    }
    throw new Mistake(path, `has a number of more than ${MOST_VARINT_BYTES} bytes`);
  }

  /** Over a field that is not known. */
  #skip({ number, wireType, end: at }: Tag, end: number, path: string, depth: number): number {
    switch (wireType) {
      case VARINT:
        return this.#varint(at, end, path).end;
      case BIT64:
        return this.#fixed(8, at, end, path);
      case BIT32:
        return this.#fixed(4, at, end, path);
      case LENGTH_DELIMITED:
        return this.#content(at, end, path).after;
      case START_GROUP:
        return this.#skipGroup(number, at, end, path, depth + 1);
      default:
        throw new Mistake(path, "is no protobuf message: a group ends that did not begin");
    }
  }

  #skipGroup(group: number, start: number, end: number, path: string, depth: number): number {
    if (depth > MOST_DEPTH) throw new Mistake(path, `has more than ${MOST_DEPTH} groups within each other`);
    for (let at = start; at < end; ) {
      const tag = this.#tag(at, end, path);
      if (tag.wireType === END_GROUP && tag.number === group) return tag.end;
      at = this.#skip(tag, end, path, depth);
    }
    throw new Mistake(path, "ends too early, within a group");
  }
}

const fieldsByNumber = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldOf(schema: DescMessage, number: number): DescField | undefined {
  let fields = fieldsByNumber.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldsByNumber.set(schema, fields);
  }
  return fields.get(number);
}

function wireTypeOf({ message, scalar }: Kind): number {
  if (message !== undefined) return LENGTH_DELIMITED;
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return LENGTH_DELIMITED;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return BIT64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return BIT32;
    default:
      return VARINT;
  }
}

/** Enums are numbers of 32 bits with a sign; negative ones have all the upper bits set. */
function rangeProblem({ scalar, enum: enumeration }: Kind,
  low: number,
  high: number,
): string | undefined {
  if (scalar === ScalarType.UINT32 || scalar === ScalarType.SINT32) {
    return high === 0 ? undefined : "is a number from 0 to 4,294,967,295, and this is greater";
  }
  if (scalar === ScalarType.INT32 || enumeration !== undefined) {
    return high === low >> 31 ? undefined : "is a number of 32 bits, and this has more";
  }
  return undefined;
}
