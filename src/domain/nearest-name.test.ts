import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

const names = ["orders:read", "orders:write", "files:read", "cart:read"];

test.each([
  ["orders:read", "orders:read"],
  ["order:read", "orders:read"],
  ["orders:reads", "orders:read"],
  ["orders.read", "orders:read"],
  ["oders:wirte", "orders:write"],
  ["file:read", "files:read"],
  ["card:read", "cart:read"],
  ["xyzers:read", "orders:read"],
  ["wxyzrs:read", undefined],
  ["orders:", undefined],
  ["stock:read", undefined],
  ["", undefined],
])("%j was meant to be %j", (name, expected) => expect(nearestName(name, names)).toBe(expected));

test("a short name is near only to what differs little, and the first of equals is taken", () => {
  expect(nearestName("abc", ["abd"])).toBe("abd");
  expect(nearestName("abc", ["ade"])).toBeUndefined();
  expect(nearestName("abc", ["abcd", "abd"])).toBe("abcd");
  expect(nearestName("ab", ["ac"])).toBeUndefined();
  expect(nearestName("abcdef", ["xyabcdez"])).toBeUndefined();
  expect(nearestName("abcdef", ["xyabcdef"])).toBe("xyabcdef");
  expect(nearestName("abcdef", ["abcdxy", "abcdex"])).toBe("abcdex");
});
