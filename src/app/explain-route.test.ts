import { beforeEach, expect, it } from "vitest";
import { as } from "../../test/support/administrators.ts";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { testApi, testKey } from "../../test/support/records.ts";
import { routeRule } from "../../test/support/route-rule.ts";
import { askedBy } from "../../test/support/routed.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { createApi } from "./create-api.ts";
import { explainRoute, type RouteExplanation, type RouteQuestion } from "./explain-route.ts";
import { updateApi } from "./update-api.ts";

const RULES = [
  "* /* any:thing",
  "GET /orders/* orders:read",
  "GET /orders/:id orders:read",
  "GET /orders/7 orders:seven",
  "GET /orders/7 orders:live live",
  "DELETE /orders/:id orders:write test",
  "DELETE /orders/:id orders:write live",
  "GET /drafts drafts:read test",
];

let authority: Authority;
beforeEach(async () => {
  authority = await createAuthority();
  const routeRules = RULES.slice(1).map((text) => routeRule(text));
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { routeRules });
});

const explained = (method: string, path: string, environment = "", rest: Partial<RouteQuestion> = {}) =>
  explainRoute(authority.parts, { apiId: "orders", method, path, environment, ...rest });

it("shows the rule that counts, the environment that is served, and what else is for the request", async () => {
  expect(await explained("GET", "/orders/7?x=1", "live")).toEqual({
    outcome: "MATCHED",
    problem: "",
    match: { index: 3, rule: routeRule("GET /orders/7 orders:live live") },
    environment: "live",
    others: [
      { index: 2, rule: routeRule("GET /orders/7 orders:seven") },
      { index: 1, rule: routeRule("GET /orders/:id orders:read") },
      { index: 0, rule: routeRule("GET /orders/* orders:read") },
    ],
  });
  expect(await explained("GET", "/orders/8")).toMatchObject({
    outcome: "MATCHED",
    match: { index: 1 },
    environment: "",
    others: [{ index: 0 }],
  });
  expect(await explained("HEAD", "/drafts")).toMatchObject({
    match: { index: 6 },
    environment: "test",
    others: [],
  });
});

it("shows the others in the order in which they would count", async () => {
  const routeRules = ["* /x -", "* /x - live", "GET /x -", "* /* -", "GET /x - live"].map((text) =>
    routeRule(text),
  );
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { routeRules });
  const { match, others } = await explained("GET", "/x", "live");
  expect([match, ...others].map((one) => one?.index)).toEqual([4, 2, 1, 0, 3]);
});

it("says what is the matter with a path, and which rules there are for others", async () => {
  expect(await explained("GET", "/orders/../admin")).toEqual({
    outcome: "UNSAFE_PATH",
    problem: "the path has a segment '.' or '..', by which some servers go elsewhere",
    match: undefined,
    environment: "",
    others: [],
  });
  expect(await explained("PUT", "/orders/7", "live")).toMatchObject({
    outcome: "NO_ROUTE",
    problem:
      'no rule of orders is for "PUT" "/orders/7" in live; this path has rules for GET, GET in live, DELETE in test, DELETE in live',
    match: undefined,
    environment: "live",
  });
  expect(await explained("GET", "/drafts", "live")).toMatchObject({
    outcome: "NO_ROUTE",
    problem: 'no rule of orders is for "GET" "/drafts" in live; this path has rules for GET in test',
  });
  expect((await explained("GET", "/nowhere")).problem).toBe('no rule of orders is for "GET" "/nowhere"');
  const { token } = await authority.key();
  expect((await explained("GET", `/${token}`)).problem).not.toContain(token.slice(9, -6));
});

it("says that the environment has to be told where only it could tell which rule counts", async () => {
  expect(await explained("DELETE", "/orders/7")).toMatchObject({
    outcome: "ENVIRONMENT_REQUIRED",
    problem: expect.stringMatching(/test, live.*--environment/),
    match: undefined,
    others: [{ index: 4 }, { index: 5 }],
  });
  expect(await explained("DELETE", "/orders/7", "test")).toMatchObject({ match: { index: 4 }, others: [] });
});

it("takes an API's only environment as told, as a verification does", async () => {
  const live = "live" as Environment;
  const rules = [routeRule("GET /a - live"), routeRule("* /a -")];
  await createApi(
    authority.parts,
    testApi({ id: "solo" as ApiId, tokenPrefix: "solo", environments: [live], routeRules: rules }),
  );
  expect(await explained("GET", "/a", "", { apiId: "solo" })).toMatchObject({
    match: { index: 0 },
    environment: "live",
    others: [{ index: 1 }],
  });
  expect(await explained("PUT", "/a", "", { apiId: "solo" })).toMatchObject({
    match: { index: 1 },
    environment: "live",
  });
});

it("finds what a verification finds", async () => {
  const routeRules = RULES.map((text) => routeRule(text));
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { routeRules });
  const outcomes = new Set<string>();
  for (const method of ["GET", "HEAD", "DELETE", "PATCH"]) {
    for (const path of ["/", "/orders", "/orders/", "/orders/7", "/orders/8", "/drafts", "/a/./b"]) {
      for (const environment of ["", "test", "live"]) {
        const explanation = await explained(method, path, environment);
        outcomes.add(explanation.outcome);
        const token = await tokenFor(explanation);
        const found = await askedBy(authority.verifier, { token, environment, route: { method, path } });
        expect(found).toContain(expectedOf(explanation));
      }
    }
  }
  expect([...outcomes].toSorted()).toEqual(["ENVIRONMENT_REQUIRED", "MATCHED", "UNSAFE_PATH"]);
});

/** Of a key that may do what the rule needs, and nothing else. */
async function tokenFor({ match, environment }: RouteExplanation): Promise<string> {
  const scopes = match === undefined ? ["*"] : [match.rule.requiredScope];
  return (await authority.key({ environment: environment || "test", scopes })).token;
}

function expectedOf({ outcome, environment }: RouteExplanation): string {
  if (outcome !== "MATCHED") return outcome;
  // The rule is for whichever environment the caller serves, and nothing tells it.
  return environment === "" ? "ENVIRONMENT_REQUIRED" : "ALLOWED";
}

it("refuses an API or environment that is not there, and a caller that is bound elsewhere", async () => {
  await expect(explained("GET", "/", "", { apiId: "gone" })).rejects.toMatchObject({
    reason: "API_NOT_FOUND",
  });
  await expect(explained("GET", "/", "prod")).rejects.toMatchObject({
    reason: "UNKNOWN_ENVIRONMENT",
    violations: [{ field: "environment", description: "the API has no such environment; it has test, live" }],
  });
  const bound = testKey({
    id: authority.parts.newKeyId(),
    api: "keywarden" as ApiId,
    binding: { apis: ["other" as ApiId], environment: null },
  });
  const question = { apiId: "orders", method: "GET", path: "/", environment: "" };
  await expect(explainRoute(as(authority, bound), question)).rejects.toMatchObject({
    reason: "CREDENTIAL_BOUND",
  });
});

it("shows no more than a hundred others", async () => {
  const segments = Array.from({ length: 7 }, () => "a");
  const routeRules = Array.from({ length: 128 }, (_, bits) => {
    const path = segments.map((name, index) => ((bits >> index) % 2 === 0 ? name : `:p${index}`));
    return routeRule(`GET /${path.join("/")} -`);
  });
  await updateApi(authority.parts, { apiId: "orders", etag: "" }, { routeRules });
  const { match, others } = await explained("GET", `/${segments.join("/")}`);
  expect(match?.index).toBe(0);
  expect(others).toHaveLength(100);
  expect(others[0]?.index).toBe(64);
});
