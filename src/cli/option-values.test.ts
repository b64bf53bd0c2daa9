import { durationFromMs, timestampDate } from "@bufbuild/protobuf/wkt";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asDuration, asInstant, asLabel, asRateLimit, asWholeNumber, repeated } from "./option-values.ts";
import { durationText } from "./time-text.ts";

describe("a rate limit", () => {
  it("is a name, a quota and a window", () => {
    expect(asRateLimit("default=100/1m")).toMatchObject({
      name: "default",
      quota: 100,
      window: durationFromMs(60_000),
    });
  });

  it("is read back as it is written", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/);
    fc.assert(
      fc.property(
        name,
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 10_000_000 }),
        (label, quota, ms) => {
          const limit = asRateLimit(`${label}=${quota}/${durationText(durationFromMs(ms))}`);
          expect(limit).toMatchObject({ name: label, quota, window: durationFromMs(ms) });
        },
      ),
    );
  });

  it.each([
    "",
    "100/1m",
    "=100/1m",
    "a=100",
    "a=/1m",
    "a=1.5/1m",
    "a=-1/1m",
    "a=100/1",
    "a=100/1m/2",
    "a=100/1y",
  ])("%j is told how to write it", (text) => {
    expect(() => asRateLimit(text)).toThrow(/name=quota\/window, such as default=100\/1m/);
  });
});

describe("a time", () => {
  it.each([
    ["2027-01-31T09:00:00Z", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31T10:30:00+01:30", "2027-01-31T09:00:00.000Z"],
    ["2027-01-31", "2027-01-31T00:00:00.000Z"],
  ])("%s is %s", (text, instant) => {
    expect(timestampDate(asInstant(text)).toISOString()).toBe(instant);
  });

  it.each(["tomorrow", "2027-02-30", "2027-01-31 09:00", "2027-01-31T09:00:00", "31.1.2027", "1"])(
    "%s is none",
    (text) => {
      expect(() => asInstant(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe("a label", () => {
  it("has a name, and a value that may be empty and contain '='", () => {
    expect([asLabel("team=billing"), asLabel("a="), asLabel("q=x=y")]).toEqual([
      ["team", "billing"],
      ["a", ""],
      ["q", "x=y"],
    ]);
    expect(() => asLabel("team")).toThrow(/name=value/);
    expect(() => asLabel("=x")).toThrow(/name=value/);
  });
});

it("refuses what is no whole number or no duration", () => {
  expect(() => asWholeNumber("1e3")).toThrow(InvalidArgumentError);
  expect(() => asDuration("90")).toThrow(/90d, 24h/);
});

it("collects an option that is given several times, in order", () => {
  const collect = repeated(asWholeNumber);
  expect(collect("2", collect("1", undefined))).toEqual([1, 2]);
});
