import type { Encoder } from "../../ports/transport.ts";

/** Of messages whose size is known only once they are written as a whole. */
export function textEncoder<Message>(write: (message: Message) => string): Encoder<Message> {
  let sized: Buffer | undefined;
  return {
    maxSize(message) {
      sized = Buffer.from(write(message));
      return sized.length;
    },
    encode(message, bytes, offset) {
      const written = sized ?? Buffer.from(write(message));
      sized = undefined;
      bytes.set(written, offset);
      return offset + written.length;
    },
  };
}
