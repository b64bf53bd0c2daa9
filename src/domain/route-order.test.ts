import { expect, it, test } from "vitest";
import { environmentRank, isMethod, methodRank, pathPattern, pathRank } from "./route-order.ts";

it("a rule that names the method comes before one for GET, if it is HEAD, and that before one for all", () => {
  const ranks = (methods: readonly string[]) =>
    ["GET", "HEAD", "POST", "get", "TRACE", ""].map((method) => methodRank({ methods }, method));
  expect(ranks(["GET"])).toEqual([0, 1, undefined, undefined, undefined, undefined]);
  expect(ranks(["GET", "HEAD"])).toEqual([0, 0, undefined, undefined, undefined, undefined]);
  expect(ranks(["HEAD"])).toEqual([undefined, 0, undefined, undefined, undefined, undefined]);
  expect(ranks(["POST", "OPTIONS"])).toEqual([undefined, undefined, 0, undefined, undefined, undefined]);
  expect(ranks([])).toEqual([2, 2, 2, 2, 2, 2]);
});

it("a rule of the environment that is told comes before one for all, and others count for nothing", () => {
  const ranks = (told: string | undefined) =>
    ["live", "", "test"].map((environment) => environmentRank({ environment }, told));
  expect(ranks("live")).toEqual([0, 1, undefined]);
  expect(ranks("")).toEqual([undefined, 0, undefined]);
  expect(ranks(undefined)).toEqual([0, 0, 0]);
});

it("the name of a parameter makes no other pattern", () => {
  expect(pathPattern("/a/:id/b:c/:d_1")).toBe("/a/:/b:c/:");
  expect(pathPattern("/a:b/*")).toBe("/a:b/*");
});

it("a static segment is more specific than a parameter, and that than the rest", () => {
  const paths = [
    "/a/*",
    "/:a_long_name/*",
    "/:x/b/c",
    "/:x/:y",
    "/a/:x/c",
    "/a/b/*",
    "/a/b/c",
    "/*",
    "/a/:x/*",
  ];
  expect(paths.toSorted((one, other) => (pathRank(one) < pathRank(other) ? -1 : 1))).toEqual([
    "/a/b/c",
    "/a/b/*",
    "/a/:x/c",
    "/a/:x/*",
    "/a/*",
    "/:x/b/c",
    "/:x/:y",
    "/:a_long_name/*",
    "/*",
  ]);
});

test.each([
  ["GET", true],
  ["get", true],
  ["M-SEARCH", true],
  ["x".repeat(32), true],
  ["x".repeat(33), false],
  ["", false],
  ["GET ", false],
  ["GET\n", false],
  ["G/T", false],
  ["GÉT", false],
])("a request can have the method %j: %s", (text, can) => expect(isMethod(text)).toBe(can));
