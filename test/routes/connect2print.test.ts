import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { apiInputOf } from "../../src/adapters/rpc/api-message.ts";
import { createApi } from "../../src/app/create-api.ts";
import { explainRoute } from "../../src/app/explain-route.ts";
import { parseApiFile } from "../../src/cli/api-file.ts";
import { type Authority, createAuthority } from "../support/authority.ts";
import { askedBy } from "../support/routed.ts";

const SPLIT = [
  "orders",
  "customers",
  "addresses",
  "cart",
  "files",
  "shipments",
  "production",
  "invoices",
  "quotes",
  "webhooks",
  "stock",
];
const READING = ["GET", "HEAD"];
const WRITING = ["POST", "PATCH", "PUT", "DELETE"];

/** Every request of the published table, and the scope that it needs; undefined: there is no such endpoint. */
const REQUESTS = [
  ...SPLIT.flatMap((resource) => [
    ...READING.map((method) => ({ resource, method, scope: `${resource}:read` })),
    ...WRITING.map((method) => ({ resource, method, scope: `${resource}:write` })),
  ]),
  ...READING.map((method) => ({ resource: "products", method, scope: "products:read" })),
  ...WRITING.map((method) => ({ resource: "products", method, scope: undefined })),
].flatMap((request) =>
  ["", "/7", "/7/items/3"].map((id) => ({ ...request, path: `/api/v1/${request.resource}${id}` })),
);

let authority: Authority;
/** By scope: of a key that has it alone, and of one that has all others. */
const tokens = new Map<string, { only: string; others: string }>();

beforeAll(async () => {
  authority = await createAuthority();
  const text = readFileSync(new URL("../../examples/connect2print.yaml", import.meta.url), "utf8");
  const api = await createApi(authority.parts, apiInputOf(parseApiFile(text, "connect2print.yaml")));
  const names = api.scopes.map(({ name }) => name);
  const tokenOf = async (scopes: readonly string[]) =>
    (await authority.key({ api: "c2p", environment: "live", scopes: [...scopes] })).token;
  for (const name of names) {
    tokens.set(name, {
      only: await tokenOf([name]),
      others: await tokenOf(names.filter((other) => other !== name)),
    });
  }
});

const ask = (token: string, method: string, path: string, environment = "live") =>
  askedBy(authority.verifier, { token, environment, route: { method, path } });

describe("of Connect2Print's published table", () => {
  it("everything is here: 12 resources, each method, with and without an id", () => {
    expect(REQUESTS).toHaveLength(12 * 6 * 3);
    expect(new Set(REQUESTS.map(({ scope }) => scope)).size).toBe(23 + 1);
    expect(tokens.size).toBe(23);
  });

  it.each(REQUESTS)("$method $path needs $scope", async ({ method, path, scope }) => {
    const { only = "", others = "" } = tokens.get(scope ?? "products:read") ?? {};
    if (scope === undefined) {
      expect(await ask(only, method, path)).toBe("PERMISSION_DENIED NO_ROUTE");
      expect(await ask(others, method, path)).toBe("PERMISSION_DENIED NO_ROUTE");
      return;
    }
    expect(await ask(only, method, path)).toBe("ALLOWED");
    expect(await ask(only, method, `${path}?x=/api/v1/other`)).toBe("ALLOWED");
    expect(await ask(others, method, path)).toBe("INSUFFICIENT_SCOPE");
    expect(await ask(only, method, path, "test")).toBe("WRONG_ENVIRONMENT");
    expect(
      await explainRoute(authority.parts, { apiId: "c2p", method, path, environment: "" }),
    ).toMatchObject({
      match: { rule: { requiredScope: scope, cost: 1 } },
      others: [],
    });
  });

  it.each([
    "/",
    "/api",
    "/api/v1",
    "/api/v1/",
    "/api/v1/nothing",
    "/api/v1/ordersx",
    "/api/v2/orders",
    "/API/v1/orders",
  ])("nothing else is here: %s", async (path) => {
    const { only = "" } = tokens.get("orders:read") ?? {};
    expect(await ask(only, "GET", path)).toBe("PERMISSION_DENIED NO_ROUTE");
  });
});
