import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { question } from "../../test/support/question.ts";
import { testApi } from "../../test/support/records.ts";
import { routeRule } from "../../test/support/route-rule.ts";
import { askedBy, get, giveRules, post } from "../../test/support/routed.ts";
import { verifierPerTest } from "../../test/support/verifier-per-test.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import type { CredentialBinding } from "../domain/key.ts";
import { createApi } from "./create-api.ts";
import { explainKey } from "./explain-key.ts";
import { updateApi } from "./update-api.ts";
import type { VerifyRequest } from "./verification.ts";

const RULES = [
  routeRule("GET /orders orders:read"),
  routeRule("POST /orders orders:write", 5),
  routeRule("GET /orders/:id orders:read"),
  routeRule("* /ping -"),
  routeRule("GET /live-only - live"),
  routeRule("GET /split live:read live"),
  routeRule("GET /split test:read test"),
  routeRule("GET /admin admin:read+orders:read"),
  routeRule("GET /* orders:read"),
];

let authority: Authority;
const orders = { apiId: "orders", etag: "" };
beforeEach(async () => {
  authority = await createAuthority();
  await updateApi(authority.parts, orders, { routeRules: RULES });
});

const ask = (token: string, request: Partial<VerifyRequest>, binding?: CredentialBinding) =>
  askedBy(authority.verifier, { token, ...request }, binding);

describe("the rule of a request says", () => {
  it("which scope it needs, and what the request says of it counts for nothing", async () => {
    const { token } = await authority.key({ scopes: ["orders:read"] });
    expect(await ask(token, get("/orders"))).toBe("ALLOWED");
    expect(await ask(token, get("/orders/7?all=1"))).toBe("ALLOWED");
    expect(await ask(token, { ...post("/orders"), requiredScope: "orders:read" })).toBe("INSUFFICIENT_SCOPE");
    expect(await ask(token, { ...get("/orders"), requiredScope: "no such scope (" })).toBe("ALLOWED");
    expect(await ask(token, { route: { method: "PUT", path: "/ping" } })).toBe("ALLOWED");
    expect(await ask(token, get("/admin"))).toBe("INSUFFICIENT_SCOPE");
    expect(await ask(token, get("/%61dmin"))).toBe("INSUFFICIENT_SCOPE");
    const { wwwAuthenticate } = await authority.verifier.verifyOne(question({ token, ...get("/admin") }));
    expect(wwwAuthenticate).toContain('scope="admin:read orders:read"');
  });

  it("what it costs", async () => {
    const limit = { name: "hour", quota: 10, window: 3_600_000 };
    const { token } = await authority.key({ scopes: ["orders:write"], rateLimits: [limit] });
    const asked = { ...post("/orders"), cost: 1_000_000_000 };
    expect([await ask(token, asked), await ask(token, asked), await ask(token, asked)]).toEqual([
      "ALLOWED",
      "ALLOWED",
      "RATE_LIMITED",
    ]);
  });

  it("which environment is served, if nothing else does", async () => {
    const test = await authority.key();
    const live = await authority.key({ environment: "live" });
    const open = { ...get("/live-only"), environment: "" };
    expect(await ask(live.token, open)).toBe("ALLOWED");
    expect(await ask(test.token, open)).toBe("WRONG_ENVIRONMENT");
    expect(await ask(test.token, { ...get("/ping"), environment: "" })).toBe(
      "INVALID_ARGUMENT ENVIRONMENT_REQUIRED",
    );
    expect(await ask(live.token, { ...get("/split"), environment: "" })).toBe(
      "INVALID_ARGUMENT ENVIRONMENT_REQUIRED",
    );
  });

  it("never another one than what is told", async () => {
    const test = await authority.key({ scopes: ["orders:write", "test:read"] });
    const live = await authority.key({ environment: "live", scopes: ["live:read", "orders:read"] });
    // Of what is for live only, nothing counts in test: the next rule does.
    expect(await ask(test.token, { ...get("/live-only"), environment: "test" })).toBe("INSUFFICIENT_SCOPE");
    expect(await ask(live.token, { ...get("/live-only"), environment: "test" })).toBe("WRONG_ENVIRONMENT");
    expect(await ask(test.token, { ...get("/split"), environment: "test" })).toBe("ALLOWED");
    expect(await ask(live.token, { ...get("/split"), environment: "live" })).toBe("ALLOWED");
    expect(await ask(test.token, { ...get("/split"), environment: "live" })).toBe("WRONG_ENVIRONMENT");
    const bound = { apis: [], environment: "test" as Environment };
    expect(await ask(live.token, { ...get("/live-only"), environment: "" }, bound)).toBe("WRONG_ENVIRONMENT");
  });

  it("for a caller that serves all: the rules of the token's own", async () => {
    const test = await authority.key({ scopes: ["test:read"] });
    const live = await authority.key({ environment: "live", scopes: ["live:read"] });
    const all = { environment: "*" };
    expect(await ask(test.token, { ...get("/split"), ...all })).toBe("ALLOWED");
    expect(await ask(live.token, { ...get("/split"), ...all })).toBe("ALLOWED");
    expect(await ask(live.token, { ...get("/live-only"), ...all })).toBe("ALLOWED");
    expect(await ask(test.token, { ...get("/live-only"), ...all })).toBe("INSUFFICIENT_SCOPE");
    const other = await authority.key({ scopes: ["live:read"] });
    expect(await ask(other.token, { ...get("/split"), ...all })).toBe("INSUFFICIENT_SCOPE");
  });
});

describe("nothing is allowed", () => {
  it("without a rule, whatever the key may do", async () => {
    const { token } = await authority.key({ scopes: ["*"] });
    await updateApi(authority.parts, orders, { routeRules: [routeRule("GET /orders -")] });
    expect(await ask(token, get("/orders"))).toBe("ALLOWED");
    for (const request of [
      post("/orders"),
      get("/orders/"),
      get("/Orders"),
      get("/"),
      { route: { method: "get", path: "/orders" } },
    ]) {
      expect(await ask(token, request)).toBe("PERMISSION_DENIED NO_ROUTE");
    }
    await updateApi(authority.parts, orders, { routeRules: [] });
    expect(await ask(token, get("/orders"))).toBe("PERMISSION_DENIED NO_ROUTE");
  });

  it("by a path that may be read in two ways", async () => {
    const { token } = await authority.key({ scopes: ["*"] });
    for (const path of [
      "/orders/../admin",
      "/orders/%2e%2e/admin",
      "//admin",
      "/orders;x",
      "/a%2fb",
      "/%2525",
      "",
    ]) {
      expect(await ask(token, get(path))).toBe("INVALID_ARGUMENT UNSAFE_PATH");
    }
  });

  it("and the message tells what, without what looks like a token", async () => {
    const { token } = await authority.key({ scopes: ["*"] });
    const said = (request: Partial<VerifyRequest>) =>
      authority.verifier.verifyOne(question({ token, ...request })).catch((error) => error.message);
    expect(await said({ route: { method: "PUT", path: "/orders/7" } })).toBe(
      'no route rule of the API orders is for "PUT" "/orders/7" in "test"',
    );
    expect(await said({ route: { method: "PUT", path: `/${token}` } })).not.toContain(token.slice(9, -6));
    expect(await said(get("/a/..;/b"))).toMatch(/^the request's path has a ';'/);
  });

  it("once the rule has changed, from the very next call", async () => {
    const { token } = await authority.key({ scopes: ["orders:read"] });
    expect(await ask(token, get("/orders"))).toBe("ALLOWED");
    await updateApi(authority.parts, orders, { routeRules: [routeRule("GET /orders orders:list")] });
    expect(await ask(token, get("/orders"))).toBe("INSUFFICIENT_SCOPE");
  });
});

describe("a token that is denied anyway", () => {
  it("has its own reason, whatever the request is", async () => {
    const missing = { ...get("/nowhere/../x"), environment: "" };
    expect(await ask("", missing)).toBe("MISSING_TOKEN");
    expect(await ask("nonsense", missing)).toBe("MALFORMED_TOKEN");
    expect(await ask("", { ...missing, api: "orders" })).toBe("MISSING_TOKEN");
    const { unknownToken } = own;
    expect(await ask(unknownToken("nob"), get("/ping"))).toBe("UNKNOWN_TOKEN");
    expect(await ask(unknownToken("ord"), get("/ping"))).toBe("UNKNOWN_TOKEN");
    const several = { apis: ["orders", "keywarden"] as ApiId[], environment: null };
    await createApi(authority.parts, testApi({ id: "other" as ApiId, tokenPrefix: "oth" }));
    expect(await ask(unknownToken("oth"), get("/ping"), several)).toBe("WRONG_API");
  });
});

const own = verifierPerTest();

it("the server's environment is told as any other", async () => {
  const { token } = await own.stored();
  await giveRules(own.store, [routeRule("GET /a - live"), routeRule("GET /b -")]);
  own.verifier = own.build(own.store, "test");
  expect(await own.ask({ token, ...get("/b"), environment: "" })).toBe("ALLOWED");
  await expect(own.ask({ token, ...get("/a"), environment: "" })).rejects.toMatchObject({
    reason: "NO_ROUTE",
  });
});

it("an unsafe path or a missing rule asks the store about no token", async () => {
  expect(own.reads).toBe(0);
  const token = own.unknownToken();
  await expect(own.ask({ token, ...get("/a/../b") })).rejects.toThrow("the request's path has a segment '.'");
  await expect(own.ask({ token, ...get("/nowhere") })).rejects.toThrow("no route rule of the API orders");
  expect(own.reads).toBe(0);
});

it("an explanation is by the same rule", async () => {
  const { key, token } = await authority.key({ scopes: ["orders:read"] });
  const explained = (request: Partial<VerifyRequest>, id: string) =>
    explainKey(authority.parts, authority.explainer, question(request), id);
  for (const subject of [key.id, ""]) {
    const { decision, checks } = await explained({ token, ...post("/orders") }, subject);
    expect(decision.reason).toBe("INSUFFICIENT_SCOPE");
    expect(checks.at(-2)?.detail).toBe("orders:write is required, and orders:read is granted");
    expect(checks.at(-1)?.detail).toBe("the key has no rate limits");
    await expect(explained({ token, ...post("/ordres") }, subject)).rejects.toMatchObject({
      reason: "NO_ROUTE",
    });
  }
});
