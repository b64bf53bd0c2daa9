import { expect, it } from "vitest";
import { testApi } from "../../test/support/records.ts";
import { routeRule } from "../../test/support/route-rule.ts";
import type { ApiId } from "../domain/api.ts";
import type { RequestPath } from "../domain/request-path.ts";
import { ApiDirectory } from "./api-directory.ts";

it("an API's routes are made ready once, and each API has its own", () => {
  const orders = testApi({ routeRules: [routeRule("GET /a")] });
  const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth", routeRules: [routeRule("GET /b")] });
  const apis = new ApiDirectory([orders, other]);
  const found = (path: string) =>
    [orders, other].map((api) => apis.routesOf(api).find("GET", path as RequestPath, "test").length);
  expect([found("/a"), found("/b")]).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(apis.routesOf(orders)).toBe(apis.routesOf(orders));
});
