/** What stands behind a tag on the wire, by the number in the tag. */
export const WireType = { VARINT: 0, BIT64: 1, LENGTH_DELIMITED: 2, START_GROUP: 3, BIT32: 5 } as const;

const MOST_VARINT_BYTES = 10;

/** A field as it stands on the wire, with its tag. */
interface WireRecord {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Of a length-delimited one. */
  readonly content: Uint8Array;
}

/** One field on the way to a place in a message. */
export interface Step {
  readonly number: number;
  /** The other members of its oneof. */
  readonly siblings: readonly number[];
}

export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export function tagged(number: number, wireType: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([varint(BigInt(number * 8 + wireType)), ...rest]);
}

export function delimited(number: number, content: Uint8Array): Uint8Array {
  return tagged(number, WireType.LENGTH_DELIMITED, varint(BigInt(content.length)), content);
}

/** The message with the field at the end of `steps`, in the first item of each list on the way, made of `records`. */
export function withRecords(
  message: Uint8Array,
  steps: readonly Step[],
  records: readonly Uint8Array[],
): Uint8Array {
  const [step, ...further] = steps;
  if (step === undefined) return Buffer.concat(records);
  const present = recordsIn(message);
  if (further.length === 0) {
    const others = present.filter(({ number }) => number !== step.number && !step.siblings.includes(number));
    return Buffer.concat([...others.map(({ bytes }) => bytes), ...records]);
  }
  const first = present.find(({ number }) => number === step.number);
  const inner = delimited(step.number, withRecords(first?.content ?? new Uint8Array(), further, records));
  const kept = present.map((record) => (record === first ? inner : record.bytes));
  return Buffer.concat(first === undefined ? [...kept, inner] : kept);
}

/** What the first field at the end of `steps` holds, or undefined where it is not set. */
export function contentAt(message: Uint8Array, steps: readonly Step[]): Uint8Array | undefined {
  const [step, ...further] = steps;
  if (step === undefined) return message;
  const found = recordsIn(message).find(({ number }) => number === step.number);
  return found === undefined ? undefined : contentAt(found.content, further);
}

function recordsIn(message: Uint8Array): readonly WireRecord[] {
  const records: WireRecord[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const number = Math.floor(tag.value / 8);
    const { start, end } = payload(message, tag.end, tag.value % 8);
    records.push({ number, bytes: message.subarray(at, end), content: message.subarray(start, end) });
    at = end;
  }
  return records;
}

function payload(message: Uint8Array, at: number, wireType: number): { start: number; end: number } {
  switch (wireType) {
    case WireType.VARINT:
      return { start: at, end: readVarint(message, at).end };
    case WireType.LENGTH_DELIMITED: {
      const length = readVarint(message, at);
      return { start: length.end, end: length.end + length.value };
    }
    default:
      throw new Error(`a request of our own has no wire type ${wireType}`);
  }
}

function readVarint(message: Uint8Array, at: number): { value: number; end: number } {
  let value = 0n;
  for (let index = 0; index < MOST_VARINT_BYTES; index++) {
    const byte = message[at + index] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: Number(value), end: at + index + 1 };
  }
  throw new Error("a varint of our own has at most 10 bytes");
}
