import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

describe("durations", () => {
  it.each([
    ["90d", 7_776_000_000],
    ["24h", 86_400_000],
    ["30m", 1_800_000],
    ["10s", 10_000],
    ["500ms", 500],
    ["0s", 0],
  ])("%s is %d milliseconds", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(["", "10", "d", "1.5h", "-1s", "1h30m", "10 s", "10S", "1w", "１s", "999999999999d"])(
    "%j is no duration",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000_000 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  it("writes the largest unit that fits", () => {
    expect([7_776_000_000, 90_000, 1_500, 0].map(formatDuration)).toEqual(["90d", "90s", "1500ms", "0ms"]);
  });
});
