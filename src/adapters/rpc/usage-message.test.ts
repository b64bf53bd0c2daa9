import { create, toJson } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { QueryUsageRequestSchema, QueryUsageResponseSchema } from "../../gen/keywarden/v1/usage_pb.ts";
import { usageQuestionOf, usageToMessage } from "./usage-message.ts";

const nothing = { buckets: { items: [], nextPageToken: "" }, totals: [] };

it("whole buckets at the ends of time are told as times that a Timestamp can be", () => {
  const usage = {
    ...nothing,
    from: Date.parse("0000-12-31T00:00:00Z"),
    until: Date.parse("+010000-01-01T00:00:00Z"),
  };
  expect(toJson(QueryUsageResponseSchema, create(QueryUsageResponseSchema, usageToMessage(usage)))).toEqual({
    fromTime: "0001-01-01T00:00:00Z",
    untilTime: "9999-12-31T23:59:59.999Z",
  });
});

it("a granularity that nobody knows is refused", () => {
  const request = create(QueryUsageRequestSchema, { granularity: 7 as never });
  expect(() => usageQuestionOf(request)).toThrow(
    expect.objectContaining({ violations: [expect.objectContaining({ field: "granularity" })] }),
  );
});
