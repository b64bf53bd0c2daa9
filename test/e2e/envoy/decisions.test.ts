import { resolve } from "node:path";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { envoyProblem } from "../../support/envoy.ts";
import { bearer, envoySession } from "./envoy-session.ts";
import { arrived, send, valuesOf } from "./upstream.ts";

const session = envoySession();
const { newKey, get, denied } = session;

describe.skipIf(session.binary === undefined)("Envoy, as examples/envoy sets it up,", () => {
  it("takes the configuration", () => {
    expect(envoyProblem(session.binary!, resolve("examples/envoy/envoy.yaml"))).toBe("");
  });

  it("lets through what a key allows, and says whose key it was in place of the credential", async () => {
    const { keyId, token } = await newKey({ scopes: ["orders:read", "files:read"] });
    const request = arrived(await get("/api/v1/orders?page=2", bearer(token)))!;
    expect(request.path).toBe("/api/v1/orders?page=2");
    expect(request.headers.filter(([name]) => name.startsWith("x-keywarden-")).toSorted()).toEqual([
      ["x-keywarden-api", "c2p"],
      ["x-keywarden-environment", "test"],
      ["x-keywarden-key-id", keyId],
      ["x-keywarden-owner", "acct_42"],
      ["x-keywarden-scopes", "orders:read files:read"],
    ]);
    expect(valuesOf(request, "authorization")).toEqual([]);
  });

  it("asks for the scope that a route names", async () => {
    const [without, withIt] = [await newKey(), await newKey({ scopes: ["files:read"] })];
    expect((await denied(() => get("/downloads/a.pdf", bearer(without.token)))).status).toBe(403);
    expect((await get("/downloads/a.pdf", bearer(withIt.token))).status).toBe(200);
  });

  it("leaves open what is meant to be", async () => {
    expect(await get("/healthz")).toMatchObject({ status: 200, body: "alive\n" });
  });

  it("writes into its access log whose request it was, and why it was denied", async () => {
    const { keyId, token } = await newKey({ owner: "acct_logged" });
    await get("/api/v1/orders", bearer(token));
    await session.admin.revokeKey({ keyId });
    await get("/api/v1/orders", bearer(token));
    await expect.poll(() => session.envoy.output().match(/\{.*"acct_logged".*\}/g)?.length).toBe(2);
    const logged = session.envoy
      .output()
      .match(/\{.*"acct_logged".*\}/g)!
      .map((line) => JSON.parse(line));
    expect(logged).toMatchObject([
      { status: 200, reason: "ALLOWED", key_id: keyId, path: "/api/v1/orders" },
      { status: 401, reason: "REVOKED", key_id: keyId },
    ]);
    expect(session.envoy.output()).not.toContain(token);
  });
});

describe.skipIf(session.binary === undefined)("a denied request", () => {
  it("without a key is 401 and says what to send", async () => {
    const answer = await denied(() => get("/api/v1/orders"));
    expect(answer).toMatchObject({
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="c2p"', "content-type": "application/problem+json" },
    });
    expect(JSON.parse(answer.body)).toEqual({
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      detail: "an API key is required",
      reason: "MISSING_TOKEN",
    });
  });

  it("looks the same whatever is wrong with the key", async () => {
    const [revoked, disabled] = [await newKey(), await newKey()];
    await session.admin.revokeKey({ keyId: revoked.keyId });
    await session.admin.disableKey({ keyId: disabled.keyId });
    const unknown = (await newKey()).token.replace(/.{8}$/, "AAAAAAAA");
    const answers = await Promise.all(
      [revoked.token, disabled.token, unknown, "nonsense"].map((token) =>
        denied(() => get("/api/v1/orders", bearer(token))),
      ),
    );
    const seen = answers.map(({ status, body, headers }) => [status, body, headers["www-authenticate"]]);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401 });
    expect(answers[0]!.headers["www-authenticate"]).toContain('error="invalid_token"');
    expect(JSON.parse(answers[0]!.body)).not.toHaveProperty("reason");
  });

  it("says that a key of another environment is one", async () => {
    const { token } = await newKey({ environment: "live" });
    const answer = await denied(() => get("/api/v1/orders", bearer(token)));
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ reason: "WRONG_ENVIRONMENT" });
  });

  it("names the scope that is missing", async () => {
    const { token } = await newKey();
    const answer = await denied(() => send(session.envoy.address, "/api/v1/orders", bearer(token), "POST"));
    expect(answer.status).toBe(403);
    expect(answer.headers["www-authenticate"]).toMatch(/error="insufficient_scope".*scope="orders:write"$/);
  });

  it("comes from an address that the key does not allow, whatever X-Forwarded-For says", async () => {
    const [elsewhere, here] = [
      await newKey({ allowedCidrs: ["198.51.100.0/24"] }),
      await newKey({ allowedCidrs: ["127.0.0.1/32"] }),
    ];
    const forged = [["x-forwarded-for", "198.51.100.7"]] as const;
    const answer = await denied(() => get("/api/v1/orders", [...bearer(elsewhere.token), ...forged]));
    expect(answer.status).toBe(403);
    expect((await get("/api/v1/orders", [...bearer(here.token), ...forged])).status).toBe(200);
  });

  it("says when to come back", async () => {
    const { token } = await newKey({
      rateLimits: [{ name: "default", quota: 6, window: durationFromMs(600_000) }],
    });
    expect((await get("/api/v1/reports/1", bearer(token))).status).toBe(200);
    const { status, headers } = await denied(() => get("/api/v1/reports/1", bearer(token)));
    expect(status).toBe(429);
    const seconds = Number(headers["retry-after"]);
    expect(headers["ratelimit"]).toBe(`"default";r=1;t=${seconds}`);
    expect(headers["ratelimit-policy"]).toBe('"default";q=6;w=600');
    expect(seconds).toBeGreaterThan(300);
  });

  it("is told in plain text to who would rather have that", async () => {
    const answer = await denied(() => get("/api/v1/orders", [["accept", "text/plain"]]));
    expect(answer).toMatchObject({ status: 401, body: "an API key is required\n" });
    expect(answer.headers["content-type"]).toContain("text/plain");
  });

  it("has two credentials", async () => {
    const [one, other] = [await newKey(), await newKey()];
    for (const headers of [
      [...bearer(one.token), ...bearer(other.token)],
      [...bearer("nonsense"), ...bearer(one.token)],
      [["authorization", `Bearer ${one.token}, Bearer ${other.token}`]] as const,
    ]) {
      const answer = await denied(() => get("/api/v1/orders", headers));
      expect(answer.status).toBe(400);
      expect(answer.headers["www-authenticate"]).toContain('error="invalid_request"');
    }
  });

  it("matches no rule", async () => {
    const { token } = await newKey({ scopes: ["*"] });
    for (const path of ["/api/v1/nothing", "/", "/api/v1/orders/", "/API/v1/orders", "/api/v1/orders/7"]) {
      const { status } = await denied(() => get(path, bearer(token)));
      expect([path, status]).toEqual([path, 403]);
    }
  });

  it("has a path that could be read in two ways", async () => {
    const { token } = await newKey({ scopes: ["*"] });
    for (const path of [
      "/api/v1/orders;v=1",
      "/api/v1//orders",
      "/api/v1/orders%2f..",
      "/api/v1/orders%5c",
      "/api/v1/orders%00",
      "/api/v1/orders%zz",
      "/api/v1/%252e%252e/orders",
    ]) {
      const { status } = await denied(() => get(path, bearer(token)));
      expect([path, status]).toEqual([path, 400]);
    }
  });
});

describe.skipIf(session.binary === undefined)("a key", () => {
  it("is denied on the very next request once it is revoked", async () => {
    for (let round = 0; round < 20; round++) {
      const { keyId, token } = await newKey();
      expect((await get("/api/v1/orders", bearer(token))).status).toBe(200);
      await session.admin.revokeKey({ keyId });
      expect((await denied(() => get("/api/v1/orders", bearer(token)))).status).toBe(401);
    }
  });
});
