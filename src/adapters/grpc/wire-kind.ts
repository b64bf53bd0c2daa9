import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** What stands behind a field's number on the wire says how long what follows is. */
export const WireType = {
  VARINT: 0,
  BIT64: 1,
  LENGTH_DELIMITED: 2,
  START_GROUP: 3,
  END_GROUP: 4,
  BIT32: 5,
} as const;

/** What a field, an item of a list, or a key or value of a map is. */
export type Kind = Pick<DescField, "message" | "scalar" | "enum">;

const fieldsByNumber = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

export function fieldOf(schema: DescMessage, number: number): DescField | undefined {
  let fields = fieldsByNumber.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldsByNumber.set(schema, fields);
  }
  return fields.get(number);
}

export function wireTypeOf({ message, scalar }: Kind): number {
  if (message !== undefined) return WireType.LENGTH_DELIMITED;
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LENGTH_DELIMITED;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.BIT64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.BIT32;
    default:
      return WireType.VARINT;
  }
}

/** What is wrong with a number of this kind that was read, if anything. Enums are numbers of 32 bits with a sign; negative ones have all the upper bits set. */
export function rangeProblem(
  { scalar, enum: enumeration }: Kind,
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
