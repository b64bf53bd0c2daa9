import { expect, it } from "vitest";
import { parseStat } from "./cpu-time.ts";

const AFTER_NAME = "S 41 4242 4242 0 -1 4194304 100 200 3 4 1234 66 7 8 20 0 11 0 1000 2000 3000";

it("adds up the user and system time of a process, in seconds", () => {
  expect(parseStat(`4242 (node) ${AFTER_NAME}`)).toEqual({ parent: 41, cpuSeconds: 13 });
});

it("is not misled by a name with spaces and parentheses", () => {
  expect(parseStat(`4242 (a ) S 1 (b) c) ${AFTER_NAME}`)).toEqual({ parent: 41, cpuSeconds: 13 });
});

it("refuses what is not a process's stat", () => {
  expect(() => parseStat("cpu  1 2 3")).toThrow(TypeError);
  expect(() => parseStat("")).toThrow(TypeError);
});
