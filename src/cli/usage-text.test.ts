import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { QueryUsageResponseSchema, type UsageCountSchema } from "../gen/keywarden/v1/usage_pb.ts";
import { Reason } from "../gen/keywarden/v1/verify_service_pb.ts";
import { usageTable } from "./usage-text.ts";

const DAY = 86_400_000;
const START = Date.UTC(2027, 0, 30);
const plain = (_format: unknown, text: string) => text;
const screen = (columns: number) => ({ columns, paint: plain });

type Counts = readonly MessageInitShape<typeof UsageCountSchema>[];

function response(buckets: ReadonlyMap<number, Counts>, until: number, totals: Counts = []) {
  return create(QueryUsageResponseSchema, {
    buckets: [...buckets].map(([start, counts]) => ({
      startTime: timestampFromMs(start),
      counts: [...counts],
    })),
    totals: [...totals],
    untilTime: timestampFromMs(until),
  });
}

const allowed = (count: number) => ({ reason: Reason.ALLOWED, count: BigInt(count) });
const expired = (count: number) => ({ reason: Reason.EXPIRED, count: BigInt(count) });
const limited = (count: number) => ({ reason: Reason.RATE_LIMITED, count: BigInt(count) });

const threeDays = response(
  new Map([
    [START, [allowed(1_200), expired(3), limited(40)]],
    [START + 2 * DAY, [allowed(1)]],
  ]),
  START + 3 * DAY,
  [allowed(1_201), expired(3), limited(40)],
);

describe("a table of usage", () => {
  it("has a line for each day, those without a verification too, with a bar and why calls were denied", () => {
    expect(usageTable(threeDays, "day", screen(80))).toBe(
      [
        "DAY (UTC)    ALLOWED   DENIED                      WHY DENIED",
        "2027-01-30     1,200       43   ████████████████   RATE_LIMITED 40, EXPIRED 3",
        "2027-01-31         0        0",
        "2027-02-01         1        0   ▏",
        "total          1,201       43                      RATE_LIMITED 40, EXPIRED 3",
        "",
      ].join("\n"),
    );
  });

  it("has hours, and no bars where there is no room for them", () => {
    const hours = response(new Map([[START + 3_600_000, [allowed(2)]]]), START + 2 * 3_600_000, [allowed(2)]);
    expect(usageTable(hours, "hour", screen(50))).toBe(
      [
        "HOUR (UTC)         ALLOWED   DENIED   WHY DENIED",
        "2027-01-30 01:00         2        0",
        "total                    2        0",
        "",
      ].join("\n"),
    );
  });

  it("leaves out what has nothing in it where there would be too many lines", () => {
    const sparse = response(
      new Map([
        [START, [allowed(1)]],
        [START + 300 * DAY, [allowed(1)]],
      ]),
      START + 400 * DAY,
    );
    expect(usageTable(sparse, "day", screen(100)).trim().split("\n")).toHaveLength(4);
  });

  it.each([60, 80, 100, 200])("fits on a screen of %i columns", (columns) => {
    const reasons = Object.values(Reason).filter((reason) => reason > 1);
    const counts = [allowed(9_999_999), ...reasons.map((reason) => ({ reason, count: 1_000_000n }))];
    const full = response(new Map([[START, counts]]), START + DAY, counts);
    const widths = usageTable(full, "day", screen(columns))
      .split("\n")
      .map((line) => [...line].length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
  });
});
