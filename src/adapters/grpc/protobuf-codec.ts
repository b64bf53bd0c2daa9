import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Codec } from "../../ports/transport.ts";

/**
 * A codec by protobuf-es. Decoding rejects invalid UTF-8 and what ends too early, and drops unknown fields. The size
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
      return fromBinary(schema, bytes.subarray(start, end), { readUnknownFields: false });
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
