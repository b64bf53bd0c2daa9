import { beforeAll, describe, expect, it } from "vitest";
import { basic, bearer, type Headers, httpServerOfTests } from "./http-server.ts";

const server = httpServerOfTests();
let caller: Headers;

beforeAll(async () => {
  caller = basic("orders-api", await server.createCredential());
});

async function introspect(token: string, headers = caller): Promise<Record<string, unknown>> {
  const response = await server.postForm("/introspect", { token }, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return (await response.json()) as Record<string, unknown>;
}

describe("an active token", () => {
  it("is described as RFC 7662 has it, and no more", async () => {
    const { token, keyId } = await server.createKey({
      scopes: ["orders:read", "files:*"],
      displayName: "CI",
      metadata: { plan: "gold" },
      expiration: { case: "ttl", value: { seconds: 3600n } },
    });
    const answer = await introspect(token);
    expect(answer).toEqual({
      active: true,
      scope: "orders:read files:*",
      client_id: keyId,
      jti: keyId,
      token_type: "Bearer",
      sub: "acct_1",
      aud: "c2p",
      iss: server.base,
      iat: expect.any(Number),
      exp: expect.any(Number),
      keywarden_environment: "test",
      keywarden_display_name: "CI",
      keywarden_metadata: { plan: "gold" },
    });
    const now = Date.now() / 1000;
    expect(Math.abs(Number(answer["iat"]) - now)).toBeLessThan(300);
    expect(Math.abs(Number(answer["exp"]) - now - 3600)).toBeLessThan(300);
  });

  it("has what is not known left out", async () => {
    const { token } = await server.createKey();
    expect(Object.keys(await introspect(token)).toSorted()).toEqual(
      [
        "active",
        "aud",
        "client_id",
        "iat",
        "iss",
        "jti",
        "keywarden_environment",
        "scope",
        "sub",
        "token_type",
      ].toSorted(),
    );
  });

  it("of a rotation's grace ends with it", async () => {
    const { token, keyId } = await server.createKey();
    const rotated = await server.process.adminClient().rotateKey({ keyId, grace: { seconds: 600n } });
    const [before, after] = [await introspect(token), await introspect(rotated.token)];
    expect(Number(before["exp"]) - Date.now() / 1000).toBeLessThanOrEqual(600);
    expect(after).not.toHaveProperty("exp");
    expect(after).not.toHaveProperty("iat");
    expect(after).toMatchObject({ active: true, jti: keyId });
  });

  it("is looked at and not used: its rate limit is not charged, and may be spent", async () => {
    const { token } = await server.createKey({
      rateLimits: [{ name: "default", quota: 1, window: { seconds: 3600n } }],
    });
    for (let times = 0; times < 3; times++) expect(await introspect(token)).toMatchObject({ active: true });
    expect(await (await server.post("/v1/verify", { token })).json()).toMatchObject({ allowed: true });
    expect(await (await server.post("/v1/verify", { token })).json()).toMatchObject({
      reason: "REASON_RATE_LIMITED",
    });
    expect(await introspect(token)).toMatchObject({ active: true });
  });
});

describe("any other token", () => {
  const inactive = { active: false };

  it("is inactive, and nothing else", async () => {
    const admin = server.process.adminClient();
    const revoked = await server.createKey();
    await admin.revokeKey({ keyId: revoked.keyId });
    const disabled = await server.createKey();
    await admin.disableKey({ keyId: disabled.keyId });
    const live = await server.createKey({ environment: "live" });
    const elsewhere = await server.createKey({ allowedCidrs: ["203.0.113.0/24"] });
    for (const { token } of [revoked, disabled, live, elsewhere])
      expect(await introspect(token)).toEqual(inactive);
    for (const token of ["nonsense", `${live.token}x`, " ", "é", "a b", server.process.adminToken]) {
      expect(await introspect(token)).toEqual(inactive);
    }
  });

  it("is inactive on the very next request after it was revoked", async () => {
    const { token, keyId } = await server.createKey();
    expect(await introspect(token)).toMatchObject({ active: true });
    await server.process.adminClient().revokeKey({ keyId });
    expect(await introspect(token)).toEqual(inactive);
  });

  it("is inactive for a caller that serves another environment", async () => {
    const { token } = await server.createKey();
    const bound = await server.createCredential({ binding: { apis: ["c2p"], environment: "live" } });
    expect(await introspect(token, bearer(bound))).toEqual(inactive);
  });
});

describe("a caller", () => {
  it("has a credential, by HTTP Basic or as a Bearer token, and may escape it", async () => {
    const { token } = await server.createKey();
    const credential = await server.createCredential();
    const escaped = [...credential].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");
    for (const headers of [bearer(credential), basic("x", credential), basic("a:b".slice(0, 1), escaped)]) {
      expect(await introspect(token, headers)).toMatchObject({ active: true });
    }
  });

  it.each<[string, Headers | undefined]>([
    ["nothing", undefined],
    ["a Bearer token that is not valid", bearer("nonsense")],
    ["another password", basic("x", "nonsense")],
    ["no client id", basic("", "nonsense")],
    ["no password", basic("x", "")],
    ["no colon", { authorization: `Basic ${Buffer.from("x").toString("base64")}` }],
    ["no base64", { authorization: "Basic !" }],
    ["another scheme", { authorization: "Digest x" }],
    ["two at once", { authorization: "Bearer a, Bearer b" }],
  ])("with %s is refused", async (_, headers) => {
    const { token } = await server.createKey();
    const response = await server.postForm("/introspect", { token }, headers ?? {});
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(
      /^Basic realm="keywarden", charset="UTF-8", Bearer realm="keywarden"(, error="invalid_token")?$/,
    );
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ error: "invalid_client", error_description: expect.any(String) });
  });

  it("without the scope is refused, and so is the key of a product", async () => {
    const { token } = await server.createKey();
    const reader = await server.createCredential({ scopes: ["keys:read"] });
    const response = await server.postForm("/introspect", { token }, bearer(reader));
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toContain('scope="verify:call"');
    expect((await server.postForm("/introspect", { token }, bearer(token))).status).toBe(401);
  });
});

describe("a request that is not as RFC 7662 has it", () => {
  it.each<[string, string]>([
    ["no token", ""],
    ["an empty token", "token="],
    ["a token without a value", "token"],
    ["two tokens", "token=a&token=b"],
    ["another parameter twice", "token=a&x=1&x=2"],
    ["a broken escape", "token=%zz"],
    ["an escape that is no UTF-8", "token=%ff"],
    ["half an escape", "token=%4"],
    ["bytes that are not escaped", "token=é"],
  ])("%s: is refused", async (_, form) => {
    const response = await fetch(`${server.base}/introspect`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...caller },
      body: form,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: "invalid_request",
      error_description: expect.any(String),
    });
  });

  it("ignores parameters that it does not know, and the hint", async () => {
    const { token } = await server.createKey();
    const response = await server.postForm("/introspect", { token, token_type_hint: "x", y: "z" }, caller);
    expect(await response.json()).toMatchObject({ active: true });
  });

  it.each([
    ["GET", "/introspect?token=a", 405],
    ["PUT", "/introspect", 405],
    ["POST", "/introspect?token=a", 400],
  ])("%s %s is answered with %d", async (method, path, status) => {
    const response = await fetch(server.base + path, {
      method,
      ...(method !== "GET" && { body: new URLSearchParams({ token: "a" }) }),
      headers: caller,
    });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get("allow")).toBe("POST");
  });

  it("JSON is refused", async () => {
    const response = await server.post("/introspect", { token: "a" }, caller);
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: "invalid_request" });
  });
});

describe("GET /.well-known/oauth-authorization-server", () => {
  it("says where introspection is, and nothing that there is not", async () => {
    const response = await fetch(`${server.base}/.well-known/oauth-authorization-server`);
    expect(await response.json()).toEqual({
      issuer: server.base,
      introspection_endpoint: `${server.base}/introspect`,
      introspection_endpoint_auth_methods_supported: ["client_secret_basic", "Bearer"],
      response_types_supported: [],
      grant_types_supported: [],
    });
  });
});
