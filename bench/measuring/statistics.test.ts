import fc from "fast-check";
import { expect, it } from "vitest";
import { median, quantile, ratios, rotated, spreadOf } from "./statistics.ts";

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 });

it("takes the middle value, or the mean of the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

it("takes a quantile that so many values do not exceed", () => {
  expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5);
  expect(quantile([5, 1, 4, 2, 3], 0)).toBe(1);
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, fraction) => {
      const limit = quantile(list, fraction);
      expect(list).toContain(limit);
      expect(list.filter((value) => value <= limit).length).toBeGreaterThanOrEqual(fraction * list.length);
    }),
  );
});

it("divides each round by the same round of the base, and never across rounds", () => {
  expect(ratios([10, 40, 90], [10, 20, 30])).toEqual([1, 2, 3]);
  expect(() => ratios([1, 2], [1])).toThrow(RangeError);
});

it("shows how far the rounds were from the median", () => {
  expect(spreadOf([1.2, 1, 1.1])).toEqual({ median: 1.1, least: 1, greatest: 1.2 });
});

it("lets each subject begin a round in its turn", () => {
  expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
  expect(rotated([], 2)).toEqual([]);
});
