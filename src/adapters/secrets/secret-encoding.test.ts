import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeSecret, ENCODED_BYTES, encodeSecret, SECRET_BYTES } from "./secret-encoding.ts";

const secret = fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES });

it("a secret is written in the base64 that everyone knows, and read from it", () => {
  fc.assert(
    fc.property(secret, (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(encodeSecret(bytes).toString("latin1")).toBe(`${text}\n`);
      expect(decodeSecret(Buffer.from(text))).toEqual(Buffer.from(bytes));
    }),
  );
});

it("no other text of that length is taken for a secret", () => {
  const text = fc.uint8Array({ minLength: ENCODED_BYTES, maxLength: ENCODED_BYTES }).map(Buffer.from);
  const nearly = fc
    .tuple(secret, fc.nat(ENCODED_BYTES - 1), fc.nat(255))
    .map(([bytes, at, byte]) =>
      Buffer.concat([
        encodeSecret(bytes).subarray(0, at),
        Buffer.of(byte),
        encodeSecret(bytes).subarray(at + 1, ENCODED_BYTES),
      ]),
    );
  fc.assert(
    fc.property(fc.oneof(text, nearly), (given) => {
      const read = decodeSecret(given);
      const byNode = Buffer.from(given.toString("latin1"), "base64");
      const isSecret =
        byNode.length === SECRET_BYTES && byNode.toString("base64") === given.toString("latin1");
      expect(read).toEqual(isSecret ? byNode : undefined);
    }),
  );
});
