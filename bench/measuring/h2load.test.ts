import { expect, it } from "vitest";
import { assertReplySize, parseH2load } from "./h2load.ts";

const summary = (failed: number) => `
finished in 2.00s, 20000.00 req/s, 4.00MB/s
requests: 40000 total, 40032 started, 40000 done, ${40_000 - failed} succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: 40000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 9.99MB (10475000) total, 390.63KB (400000) headers (space savings 98.00%), 7.63MB (8000000) data
`;

it("reads how many requests were answered, and how long the answers were", () => {
  expect(parseH2load(summary(0))).toEqual({ requests: 40_000, replyBytes: 8_000_000 });
});

it("counts nothing where requests failed or the output is something else", () => {
  expect(() => parseH2load(summary(3))).toThrow("3 failed");
  expect(() => parseH2load("h2load: command not understood")).toThrow("no summary");
});

it("takes replies of another length than a good one for wrong ones", () => {
  const result = { requests: 1_000, replyBytes: 200_000 };
  expect(() => assertReplySize("VerifyKey", result, 205, 1)).not.toThrow();
  expect(() => assertReplySize("VerifyKey", result, 300, 1)).toThrow("200.0 bytes");
  expect(() => assertReplySize("VerifyKey", result, 60, 1)).toThrow("200.0 bytes");
});
