import { KeywardenError, malformedRequest } from "../../domain/keywarden-error.ts";
import type { Decoder, Encoder, Failure } from "../../ports/transport.ts";

/** Stands where a request would, if its bytes are no such message: a deserializer that throws would end in grpc-js. */
export class Malformed {
  readonly failure: Failure;

  constructor(cause: unknown) {
    if (cause instanceof KeywardenError) {
      this.failure = cause;
      return;
    }
    const why = cause instanceof Error ? cause.message : "unreadable";
    this.failure = malformedRequest(
      `The request is not a valid protobuf message of this method's request type: ${why}.`,
    );
  }
}

export function deserializer<Message>(codec: Decoder<Message>): (bytes: Buffer) => Message | Malformed {
  return (bytes) => {
    try {
      return codec.decode(bytes, 0, bytes.length);
    } catch (error) {
      return new Malformed(error);
    }
  };
}

/** The message's bytes in a buffer that nobody else has. */
export function encodeMessage<Message>(codec: Encoder<Message>, message: Message): Buffer {
  const bytes = Buffer.allocUnsafe(codec.maxSize(message));
  return bytes.subarray(0, codec.encode(message, bytes, 0));
}

/** Replies are encoded before grpc-js gets them, so that a failure to encode is ours to report. */
export function alreadySerialized(bytes: Buffer): Buffer {
  return bytes;
}

export const internalFailure: Failure = {
  status: "INTERNAL",
  reason: "INTERNAL",
  message: "Something went wrong inside Keywarden; its log says what.",
};
