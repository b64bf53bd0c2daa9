import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { attributesOf, Collector } from "../../support/collector.ts";
import { totalOf } from "../../support/exposition.ts";
import type { KeywardenProcess } from "../../support/keywarden-process.ts";
import { placePerTest } from "../../support/place-per-test.ts";
import { verificationsOf } from "../../support/verifications-of.ts";
import { basic } from "./http-server.ts";

const place = placePerTest();

function start(...flags: string[]): Promise<KeywardenProcess> {
  return place.start({ flags: ["--environment", "test", ...flags] });
}

async function createKey(running: KeywardenProcess): Promise<string> {
  const admin = running.adminClient();
  await admin.createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] },
  });
  return (await admin.createKey({ key: { api: "orders", environment: "test", owner: "acct_1" } })).token;
}

function verify({ http }: KeywardenProcess, message: object, headers = {}): Promise<Response> {
  return fetch(`http://${http}/v1/verify`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close", ...headers },
    body: JSON.stringify(message),
  });
}

describe("--http", () => {
  it("is served by every thread that verifies", async () => {
    const running = await start("--workers", "2");
    const token = await createKey(running);
    const answers = await Promise.all(Array.from({ length: 40 }, () => verify(running, { token })));
    for (const answer of answers) expect(await answer.json()).toMatchObject({ allowed: true });
    expect(await running.stop()).toBe(0);
    const verifications = verificationsOf(running);
    expect(verifications.size).toBe(2);
    for (const count of verifications.values()) expect(count).toBeGreaterThan(0);
  });

  it("may be all there is of the data plane, and may be off", async () => {
    const only = await start("--grpc", "off");
    expect(only.output()).not.toContain('"grpc":');
    expect(await (await verify(only, { token: "" })).json()).toMatchObject({
      reason: "REASON_MISSING_TOKEN",
    });
    await only.stop();
    const off = await start("--http", "off");
    expect(off.output()).not.toContain('"http":');
    expect((await off.verifyClient().verifyKey({ token: "" })).allowed).toBe(false);
  });

  it("that another program has is refused by its name, and the store is not touched", async () => {
    const first = await start();
    const second = place.start({ directory: place.path("other"), flags: ["--http", first.http] });
    await expect(second).rejects.toThrow(`--http: ${first.http} is taken by another program`);
    const shared = place.start({
      directory: place.path("b"),
      flags: ["--http", first.http, "--workers", "2"],
    });
    await expect(shared).rejects.toThrow(`--http: ${first.http} is taken by another program`);
    expect(await (await verify(first, { token: "" })).json()).toMatchObject({ allowed: false });
  });

  it("ends with the server, which waits for no connection that is idle", async () => {
    const running = await start("--drain-grace", "10m");
    const [host = "", port] = running.http.split(":");
    const idle = connect(Number(port), host);
    await once(idle, "connect");
    idle.write("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(idle, "data");
    const closed = once(idle, "close");
    expect(await running.stop()).toBe(0);
    await closed;
    await expect(verify(running, {})).rejects.toThrow("fetch failed");
  });
});

it("verifications over HTTP are counted by their doors", async () => {
  const running = await start();
  const token = await createKey(running);
  await verify(running, { token });
  await verify(running, { token: "x" });
  await verify(running, { token, requiredScope: "(" });
  await fetch(`http://${running.http}/v1/verify:batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ requests: [{ token }, { token: "" }] }),
  });
  await fetch(`http://${running.http}/introspect`, {
    method: "POST",
    headers: basic("x", running.adminToken),
    body: new URLSearchParams({ token }),
  });
  const text = await (await fetch(`http://${running.adminHttp}/metrics`)).text();
  const count = (door: string, reason: string) =>
    totalOf(text, "keywarden_verifications_total", { door, reason });
  expect({
    verify: ["ALLOWED", "MALFORMED_TOKEN", "INVALID_ARGUMENT"].map((reason) => count("http_verify", reason)),
    batch: ["ALLOWED", "MISSING_TOKEN"].map((reason) => count("http_verify_batch", reason)),
    introspect: count("http_introspect", "ALLOWED"),
  }).toEqual({ verify: [1, 1, 1], batch: [1, 1], introspect: 1 });
});

it("a request is a part of its client's trace", async () => {
  const collector = await Collector.start();
  try {
    const running = await start("--otlp-endpoint", collector.address, "--trace-sample", "0");
    const trace = "0af7651916cd43dd8448eb211c80319c";
    await verify(running, { token: "secret-token" }, { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    await running.stop();
    const [span] = collector.spans;
    expect(span).toMatchObject({ traceId: trace, parentSpanId: "b7ad6b7169203331", name: "POST /v1/verify" });
    expect(attributesOf(span)).toMatchObject({
      "http.route": "/v1/verify",
      "http.response.status_code": 200,
    });
    expect(collector.bodies).not.toContain("secret-token");
  } finally {
    collector.stop();
  }
});

it("an issuer that is said is what clients are told", async () => {
  const running = await start("--issuer", "https://keys.example.com");
  const response = await fetch(`http://${running.http}/.well-known/oauth-authorization-server`);
  expect(await response.json()).toMatchObject({
    issuer: "https://keys.example.com",
    introspection_endpoint: "https://keys.example.com/introspect",
  });
});

it("a token of an API with several environments is not introspected where nothing says which one is served", async () => {
  const running = await place.start();
  const admin = running.adminClient();
  await admin.createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test", "live"] },
  });
  const { token } = await admin.createKey({ key: { api: "orders", environment: "test", owner: "a" } });
  const response = await fetch(`http://${running.http}/introspect`, {
    method: "POST",
    headers: basic("x", running.adminToken),
    body: new URLSearchParams({ token }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: "invalid_request",
    error_description: expect.stringContaining("bind the caller's credential to it"),
  });
});
