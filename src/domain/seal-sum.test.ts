import fc from "fast-check";
import { expect, it } from "vitest";
import { createSealKey, Sealer } from "./seal.ts";
import { changedSum } from "./seal-sum.ts";

const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map(createSealKey);
const sealer = new Sealer([one!, other!]);
const former = new Sealer([other!]);
const seals = Array.from({ length: 20 }, (_, number) =>
  (number % 3 === 0 ? former : sealer).seal("keys", [number]),
);
const sets = fc.subarray(seals);
const sumOf = (set: readonly Buffer[]) => changedSum(0n, { gone: 0n, added: sealer.sumOf(set) });

it("sets of records have the same sum only if they are the same, in whatever order", () => {
  fc.assert(
    fc.property(sets, sets, (left, right) => {
      const isSame = left.length === right.length && left.every((seal) => right.includes(seal));
      expect(sumOf(left) === sumOf(right.toReversed())).toBe(isSame);
    }),
  );
});

it("a sum that follows each change is that of the records that there are", () => {
  fc.assert(
    fc.property(sets, sets, (before, after) => {
      const followed = changedSum(sumOf(before), { gone: sealer.sumOf(before), added: sealer.sumOf(after) });
      expect(followed).toBe(sumOf(after));
    }),
  );
});

it("a seal that is there twice is not as good as none, and what is no seal weighs nothing", () => {
  const [first] = seals;
  expect(sumOf([first!, first!])).not.toBe(0n);
  expect(sumOf([first!, first!])).not.toBe(sumOf([first!]));
  expect(sealer.sumOf([undefined, null, "text", Buffer.alloc(3), Buffer.alloc(20)])).toBe(0n);
});

it("a hidden sum shows nothing, and is revealed with the key that the record was sealed with, which may be a former one", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (sum) => {
      const hidden = former.hiddenSum(sum);
      expect(sealer.revealedSum(hidden, former.seal("audit_head", []))).toBe(sum);
      expect(hidden.toString("hex")).not.toBe(sum.toString(16).padStart(32, "0"));
      expect(former.revealedSum(hidden, sealer.seal("audit_head", []))).toBeUndefined();
    }),
  );
});
