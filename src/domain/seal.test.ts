import { expect, it } from "vitest";
import { createSealKey, Sealer } from "./seal.ts";

const [one, two] = [1, 2].map((fill) => createSealKey(Buffer.alloc(32, fill)));
const values = ["key", 1, null];

it("a key has 32 bytes, and an id that is made from it", () => {
  expect(() => createSealKey(Buffer.alloc(31))).toThrow(RangeError);
  expect(one!.id).toMatch(/^[0-9a-f]{8}$/);
  expect(createSealKey(Buffer.alloc(32, 1)).id).toBe(one!.id);
  expect(one!.id).not.toBe(two!.id);
  expect(() => new Sealer([])).toThrow(RangeError);
});

it("a seal fits what it was made for, and nothing else", () => {
  const sealer = new Sealer([one!]);
  const seal = sealer.seal("keys", values);
  expect(seal).toHaveLength(20);
  expect(sealer.isSealed("keys", values, seal)).toBe(true);
  expect(sealer.isSealed("keys", values, new Uint8Array(seal))).toBe(true);
  expect(sealer.isSealed("apis", values, seal)).toBe(false);
  for (const other of [
    ["key", "1", null],
    ["key", 1],
    ["key", 1, "null"],
    [...values, null],
  ]) {
    expect(sealer.isSealed("keys", other, seal)).toBe(false);
  }
  for (const broken of [
    null,
    "",
    seal.toString("hex"),
    seal.subarray(1),
    Buffer.concat([seal, seal]),
    Buffer.alloc(20),
  ]) {
    expect(sealer.isSealed("keys", values, broken)).toBe(false);
  }
  for (let bit = 0; bit < 160; bit++) {
    const flipped = Buffer.from(seal);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(sealer.isSealed("keys", values, flipped)).toBe(false);
  }
});

it("a former key's seal is accepted as long as the key is known, and told from a current one", () => {
  const seal = new Sealer([one!]).seal("keys", values);
  const rotated = new Sealer([two!, one!]);
  expect(rotated.isSealed("keys", values, seal)).toBe(true);
  expect(rotated.isFormer(seal)).toBe(true);
  expect(rotated.isFormer(rotated.seal("keys", values))).toBe(false);
  expect(new Sealer([two!]).isSealed("keys", values, seal)).toBe(false);
});
