import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { createPepper, digestToken, hashToken } from "./digest.ts";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

test("a token is hashed with SHA-256, 32 bytes as latin1", () => {
  const hash = hashToken("c2p_live_abc");
  expect(hash).toHaveLength(32);
  expect(Buffer.from(hash, "latin1").toString("hex")).toBe(
    createHash("sha256").update("c2p_live_abc").digest("hex"),
  );
});

test("a digest is HMAC-SHA-256 of the hash under the pepper, so that hashes made elsewhere can be imported", () => {
  const sha256 = createHash("sha256").update("a token").digest();
  const expected = createHmac("sha256", secret).update(sha256).digest("binary");
  expect(digestToken(hashToken("a token"), createPepper(secret))).toBe(expected);
  expect(expected).toHaveLength(32);
});

test("another pepper gives another digest and has another id", () => {
  const one = createPepper(secret);
  const other = createPepper(secret.map((byte) => byte ^ 1));
  expect(digestToken(hashToken("t"), one)).not.toBe(digestToken(hashToken("t"), other));
  expect(one.id).not.toBe(other.id);
});

test("a pepper's id follows from its secret, and does not give it away", () => {
  const expected = createHash("sha256").update("keywarden-pepper:").update(secret).digest("hex").slice(0, 8);
  expect(createPepper(secret).id).toBe(expected);
  expect(createPepper(Uint8Array.from(secret)).id).toBe(expected);
});

test.each([0, 16, 31, 33, 64])("a pepper of %i bytes is refused", (length) => {
  expect(() => createPepper(new Uint8Array(length))).toThrow(`32 bytes long, this one has ${length}`);
});
