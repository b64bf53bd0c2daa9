import fc from "fast-check";
import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

const NAMES = ["KEYWARDEN_GRPC", "KEYWARDEN_ADMIN_GRPC", "KEYWARDEN_STORE", "path", "ttl"];

it.each([
  ["KEYWARDEN_GRCP", "KEYWARDEN_GRPC"],
  ["KEYWARDEN_STOR", "KEYWARDEN_STORE"],
  ["KEYWARDEN_ADMIN_GPRC", "KEYWARDEN_ADMIN_GRPC"],
  ["paht", "path"],
  ["KEYWARDEN_ENTIRELY_ELSE", undefined],
  ["x", undefined],
])("%s was meant to be %s", (word, meant) => {
  expect(nearest(word, NAMES)).toBe(meant);
});

it("finds a word again after one letter was lost", () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES.filter((name) => name.length > 5)), fc.nat(), (name, at) => {
      const position = at % name.length;
      expect(nearest(name.slice(0, position) + name.slice(position + 1), NAMES)).toBe(name);
    }),
  );
});
