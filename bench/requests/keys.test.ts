import fc from "fast-check";
import { expect, it } from "vitest";
import { compileKey } from "../../src/domain/key.ts";
import { parseNativeToken } from "../../src/domain/token.ts";
import { benchKey, benchKeyId, benchToken, unknownToken } from "./keys.ts";

const number = fc.nat({ max: 10_000_000 });

it("makes the same well-formed token for the same key, and others for other keys and guesses", () => {
  fc.assert(
    fc.property(number, number, (one, other) => {
      const token = benchToken(one).reveal();
      expect(parseNativeToken(token)).toEqual({ prefix: "bench", environment: "test" });
      expect(benchToken(one).reveal()).toBe(token);
      expect(unknownToken(other).reveal()).not.toBe(token);
      expect(benchToken(other).reveal() === token).toBe(one === other);
    }),
  );
});

it("makes keys that can be decided on, with ids in the order of their numbers", () => {
  fc.assert(
    fc.property(number, number, (one, other) => {
      expect(() => compileKey(benchKey(one), 1)).not.toThrow();
      expect(benchKeyId(one) < benchKeyId(other)).toBe(one < other);
    }),
  );
});
