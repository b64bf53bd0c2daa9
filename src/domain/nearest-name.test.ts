import fc from "fast-check";
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

const WORDS = ["KEYWARDEN_GRPC", "KEYWARDEN_ADMIN_GRPC", "KEYWARDEN_STORE", "path", "ttl"];

test.each([
  ["KEYWARDEN_GRCP", "KEYWARDEN_GRPC"],
  ["KEYWARDEN_STOR", "KEYWARDEN_STORE"],
  ["KEYWARDEN_ADMIN_GPRC", "KEYWARDEN_ADMIN_GRPC"],
  ["paht", "path"],
  ["ptah", "path"],
  ["KEYWARDEN_ENTIRELY_ELSE", undefined],
  ["x", undefined],
])("of these settings %s was meant to be %s", (word, meant) => expect(nearestName(word, WORDS)).toBe(meant));

test("finds a word again after one letter was lost", () => {
  fc.assert(
    fc.property(fc.constantFrom(...WORDS.filter((name) => name.length > 5)), fc.nat(), (name, at) => {
      const position = at % name.length;
      expect(nearestName(name.slice(0, position) + name.slice(position + 1), WORDS)).toBe(name);
    }),
  );
});
