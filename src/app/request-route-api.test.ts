import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { testApi } from "../../test/support/records.ts";
import { routeRule } from "../../test/support/route-rule.ts";
import { askedBy, get, giveRules } from "../../test/support/routed.ts";
import { verifierPerTest } from "../../test/support/verifier-per-test.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import type { CredentialBinding } from "../domain/key.ts";
import { createApi } from "./create-api.ts";
import { updateApi } from "./update-api.ts";
import type { VerifyRequest } from "./verification.ts";

const RULES = [
  routeRule("GET /orders orders:read"),
  routeRule("* /ping -"),
  routeRule("GET /live-only - live"),
  routeRule("GET /split live:read live"),
  routeRule("GET /split test:read test"),
];
const IMPORTED = "legacy-0123456789abcdef";
const UNKNOWN_IMPORTED = "legacy-fedcba9876543210";

const own = verifierPerTest();
const orders = { apiId: "orders", etag: "" };
let authority: Authority;
beforeEach(async () => {
  authority = await createAuthority();
  await updateApi(authority.parts, orders, { routeRules: RULES });
});

const ask = (token: string, request: Partial<VerifyRequest>, binding?: CredentialBinding) =>
  askedBy(authority.verifier, { token, ...request }, binding);

describe("whose rules count says", () => {
  const other = testApi({
    id: "other" as ApiId,
    tokenPrefix: "oth",
    routeRules: [routeRule("GET /ping other:read"), routeRule("GET /other -")],
  });
  const legacy = { importedTokenShapes: [{ prefix: "legacy-", minLength: 20, maxLength: 40 }] };
  beforeEach(() => createApi(authority.parts, other));

  it("the request, and a token of another API is denied", async () => {
    const { token } = await authority.key();
    expect(await ask(token, { ...get("/ping"), api: "orders" })).toBe("ALLOWED");
    expect(await ask(token, { ...get("/ping"), api: "other" })).toBe("WRONG_API");
    expect(await ask(token, { ...get("/live-only"), api: "other" })).toBe("PERMISSION_DENIED NO_ROUTE");
    expect(await ask(token, { ...get("/ping"), api: "gone" })).toBe("INVALID_ARGUMENT UNKNOWN_API");
  });

  it("else the only API that the caller is bound to", async () => {
    const { token } = await authority.key();
    const boundTo = (...apis: string[]) => ({ apis: apis as ApiId[], environment: null });
    expect(await ask(token, get("/ping"), boundTo("orders"))).toBe("ALLOWED");
    expect(await ask(token, get("/ping"), boundTo("other"))).toBe("WRONG_API");
    expect(await ask(token, get("/orders"), boundTo("other"))).toBe("PERMISSION_DENIED NO_ROUTE");
    expect(await ask(token, get("/ping"), boundTo("other", "orders"))).toBe("ALLOWED");
    expect(await ask(token, get("/ping"), boundTo("gone"))).toBe("WRONG_API");
  });

  it("else the token, if it was issued here", async () => {
    const theirs = await authority.store({ api: "other" as ApiId, scopes: ["other:read"] });
    const ours = await authority.key();
    expect(await ask(theirs, get("/ping"))).toBe("ALLOWED");
    expect(await ask(theirs, get("/live-only"))).toBe("PERMISSION_DENIED NO_ROUTE");
    expect(await ask(ours.token, get("/other"))).toBe("PERMISSION_DENIED NO_ROUTE");
    const credential = await authority.store({
      api: "keywarden" as ApiId,
      environment: "live" as Environment,
    });
    expect(await ask(credential, { ...get("/ping"), environment: "" })).toBe("PERMISSION_DENIED NO_ROUTE");
  });

  it("and never one that was issued elsewhere, of which nobody learns whether there is one", async () => {
    await updateApi(authority.parts, orders, legacy);
    for (const token of [IMPORTED, UNKNOWN_IMPORTED]) {
      expect(await ask(token, get("/ping"))).toBe("INVALID_ARGUMENT API_REQUIRED");
      expect(
        await ask(token, get("/ping"), { apis: ["orders", "other"] as ApiId[], environment: null }),
      ).toBe("INVALID_ARGUMENT API_REQUIRED");
      expect(await ask(token, { ...get("/ping"), api: "orders" })).toBe("UNKNOWN_TOKEN");
      expect(await ask(token, { ...get("/split"), api: "orders", environment: "*" })).toBe("UNKNOWN_TOKEN");
    }
  });
});

it("an imported token whose API is told is decided by that API's rules, of its own environment where all are served", async () => {
  await own.keep(IMPORTED, { environment: "live" as Environment, scopes: ["live:read"] });
  await giveRules(own.store, RULES);
  const told = { token: IMPORTED, api: "orders" };
  expect(await own.ask({ ...told, ...get("/split"), environment: "*" })).toBe("ALLOWED");
  expect(await own.ask({ ...told, ...get("/split"), environment: "test" })).toBe("WRONG_ENVIRONMENT");
  expect(await own.ask({ ...told, ...get("/live-only"), environment: "" })).toBe("ALLOWED");
  expect(await own.ask({ ...told, ...get("/orders"), environment: "live" })).toBe("INSUFFICIENT_SCOPE");
  await expect(own.ask({ token: IMPORTED, ...get("/split"), environment: "live" })).rejects.toMatchObject({
    reason: "API_REQUIRED",
    violations: [{ field: "api" }],
  });
});
