import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { durationText, relativeTime, timeText } from "./time-text.ts";

const NOW = Date.parse("2026-11-24T08:00:00Z");

it.each([
  [90 * 86_400_000 - 1, "in 89 days"],
  [86_400_000, "in 1 day"],
  [86_399_999, "in 23 hours"],
  [-3_600_000, "1 hour ago"],
  [-59_000, "59 seconds ago"],
  [0, "now"],
  [999, "now"],
  [-999, "now"],
])("%d ms from now is %s", (distance, text) => {
  expect(relativeTime(NOW + distance, NOW)).toBe(text);
});

it("a time is UTC, and says how far away it is", () => {
  const time = timestampFromDate(new Date("2026-12-24T08:00:00.123Z"));
  expect(timeText(time, NOW, "never")).toBe("2026-12-24T08:00:00Z (in 30 days)");
  expect(timeText(undefined, NOW, "never")).toBe("never");
});

it("a duration is as options have it", () => {
  expect([
    durationText(durationFromMs(60_000)),
    durationText(durationFromMs(1_500)),
    durationText(undefined),
  ]).toEqual(["1m", "1500ms", "0s"]);
});
