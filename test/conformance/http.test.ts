import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import description from "../../src/adapters/http/openapi.json" with { type: "json" };
import { bearer, httpServerOfTests } from "../e2e/http/http-server.ts";
import { type Description, readDescription } from "./http-description.ts";
import { EXCHANGES, filled, secrets } from "./http-exchanges.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const JSON_TYPE = "application/json";
const FORM = "application/x-www-form-urlencoded";

const server = httpServerOfTests();
const described = readDescription(description as unknown as Description);
beforeAll(async () => {
  const key = { scopes: ["orders:read"], displayName: "CI", metadata: { plan: "gold" } };
  const limit = { name: "default", quota: 1, window: { seconds: 3600n } };
  secrets.TOKEN = (await server.createKey(key)).token;
  secrets.LIMITED = (await server.createKey({ ...key, rateLimits: [limit] })).token;
  secrets.CALLER = await server.createCredential();
  secrets.READER = await server.createCredential({ scopes: ["keys:read"] });
  const spent = { api: "keywarden", environment: "live", scopes: ["verify:call"], rateLimits: [limit] };
  secrets.SPENT = (await server.createKey(spent)).token;
  await server.post("/v1/verify", {}, bearer(secrets.SPENT));
});

async function bodyOf(response: Response): Promise<{ type: string; body: unknown }> {
  const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
  return { type, body: await response.json() };
}

it("GET /openapi.json is the description", async () => {
  expect(await (await fetch(`${server.base}/openapi.json`)).json()).toEqual(description);
});

it("the description has nothing that its linter minds", () => {
  const lint = spawnSync(
    join(ROOT, "node_modules/.bin/redocly"),
    ["lint", "src/adapters/http/openapi.json"],
    {
      cwd: ROOT,
      encoding: "utf8",
      env: {
        ...process.env,
        REDOCLY_TELEMETRY: "off",
        REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
        NO_COLOR: "1",
      },
    },
  );
  const output = lint.stdout + lint.stderr;
  expect(output).toContain("Your API description is valid");
  expect(output).not.toMatch(/warning|error/i);
});

it("each example is what it is an example of", () => {
  const examples = described.examples();
  expect(examples.length).toBeGreaterThan(6);
  for (const example of examples)
    expect([example.name, described.exampleProblems(example)]).toEqual([example.name, []]);
});

describe("what is asked and answered is as described", () => {
  it.each(EXCHANGES)("$path: $what", async (exchange) => {
    const { path, status, isDescribed = true, headers = () => ({}) } = exchange;
    const message = filled(exchange.message);
    const isForm = path === "/introspect";
    const problems = described.requestProblems(path, isForm ? FORM : JSON_TYPE, message);
    expect(problems.length === 0).toBe(isDescribed);
    const response = isForm
      ? await server.postForm(path, message as Record<string, string>, headers())
      : await server.post(path, message, headers());
    expect(response.status).toBe(status);
    const { type, body } = await bodyOf(response);
    expect(described.responseProblems(path, status, type, body)).toEqual([]);
  });
});
