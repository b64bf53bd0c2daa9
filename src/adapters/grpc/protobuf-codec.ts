import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { malformedRequest } from "../../domain/keywarden-error.ts";
import type { Codec } from "../../ports/transport.ts";
import { wireProblem } from "./wire-problem.ts";

/**
 * Reads `bytes[start, end)` and drops unknown fields.
 * Throws KeywardenError INVALID_ARGUMENT, MALFORMED_REQUEST, that names the field if it can be told.
 */
export function decodeMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  start: number,
  end: number,
): MessageShape<Schema> {
  const problem = wireProblem(schema, bytes, start, end);
  if (problem !== undefined) {
    const { violation, message } = problem;
    throw malformedRequest(message, violation === undefined ? [] : [violation]);
  }
  return fromBinary(schema, bytes.subarray(start, end), { readUnknownFields: false });
}

/**
 * A codec by protobuf-es. Decoding rejects what `wireProblem` finds, and drops unknown fields. The size
 * of a message is known only by encoding it, so `maxSize` does that, and `encode` takes its bytes.
 */
export function protobufCodec<Schema extends DescMessage>(schema: Schema): Codec<MessageShape<Schema>> {
  let sized: { message: MessageShape<Schema>; bytes: Uint8Array } | undefined;

  const take = (message: MessageShape<Schema>): Uint8Array => {
    const bytes = sized?.message === message ? sized.bytes : toBinary(schema, message);
    sized = undefined;
    return bytes;
  };

  return {
    decode(bytes, start, end) {
      return decodeMessage(schema, bytes, start, end);
    },
    maxSize(message) {
      const bytes = toBinary(schema, message);
      sized = { message, bytes };
      return bytes.length;
    },
    encode(message, bytes, offset) {
      const encoded = take(message);
      bytes.set(encoded, offset);
      return offset + encoded.length;
    },
  };
}
