import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { get } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRpcClient } from "../../src/cli/rpc-client.ts";
import { generateToken } from "../../src/domain/token.ts";
import { VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { createTestAuthority } from "../support/certificates.ts";
import { attributesOf, Collector } from "../support/collector.ts";
import { expositionProblems, samplesOf, totalOf } from "../support/exposition.ts";
import {
  type KeywardenProcess,
  type StartOptions,
  startKeywarden,
  temporaryDirectory,
} from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";
import { promtool } from "../support/promtool.ts";

/** An address that only this machine reaches, in a spelling that is not counted as such. */
const AS_IF_PUBLIC = "[::ffff:127.0.0.1]:0";
const TRACE = "0af7651916cd43dd8448eb211c80319c";

async function createKey(server: KeywardenProcess) {
  const admin = server.adminClient();
  await admin.createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] },
  });
  const { key, token } = await admin.createKey({
    key: { api: "orders", environment: "test", owner: "acct_1" },
  });
  return { keyId: key!.keyId, token };
}

/** Waits for a call that does not succeed. */
async function failure(call: Promise<unknown>): Promise<void> {
  const outcome = await Promise.allSettled([call]);
  if (outcome[0].status === "fulfilled") throw new Error("the call succeeded");
}

async function scrape({ adminHttp }: KeywardenProcess): Promise<string> {
  const response = await fetch(`http://${adminHttp}/metrics`);
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  return response.text();
}

/** What is asked of the metrics until it is so, or for 30 seconds. */
async function eventually(server: KeywardenProcess, isSo: (text: string) => boolean): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const text = await scrape(server);
    if (isSo(text) || attempt === 300) return text;
    await delay(100);
  }
}

describe("a server that has been used", () => {
  const directory = temporaryDirectory();
  let server: KeywardenProcess;
  let key: { keyId: string; token: string };
  let text: string;

  beforeAll(async () => {
    const flags = ["--environment", "test", "--workers", "2"];
    server = await startKeywarden({ directory: directory.path, flags });
    key = await createKey(server);
    const clients = Array.from({ length: 8 }, () => server.verifyClient());
    await Promise.all(clients.map((client) => client.verifyKey({ token: key.token })));
    await Promise.all(clients.map((client) => client.verifyKey({ token: "malformed" })));
    const unknown = generateToken("ord", "test", randomBytes).reveal();
    await clients[0]!.batchVerifyKeys({
      requests: [{ token: key.token }, { token: unknown }, { token: "" }],
    });
    await failure(clients[0]!.verifyKey({ token: key.token, cost: 2_000_000 }));
    const admin = server.adminClient();
    await admin.revokeKey({ keyId: key.keyId });
    await clients[0]!.verifyKey({ token: key.token });
    await admin.verifyAudit({});
    await failure(admin.getKey({ keyId: "none" }));
    text = await eventually(server, (now) => totalOf(now, "keywarden_event_loop_active_seconds_total") > 0);
  });
  afterAll(async () => {
    await server.stop();
    directory.remove();
  });

  it("tells how its verifications ended, at each door, added up over its threads", () => {
    const count = (door: string, reason: string) =>
      totalOf(text, "keywarden_verifications_total", { door, reason });
    expect({
      allowed: count("grpc", "ALLOWED"),
      malformed: count("grpc", "MALFORMED_TOKEN"),
      refused: count("grpc", "INVALID_ARGUMENT"),
      revoked: count("grpc", "REVOKED"),
      batch: ["ALLOWED", "UNKNOWN_TOKEN", "MISSING_TOKEN"].map((reason) => count("grpc_batch", reason)),
    }).toEqual({ allowed: 8, malformed: 8, refused: 1, revoked: 1, batch: [1, 1, 1] });
    const calls = (door: string) => totalOf(text, "keywarden_verification_duration_seconds_count", { door });
    expect([calls("grpc"), calls("grpc_batch")]).toEqual([18, 1]);
  });

  it("tells of its cache, its store, its changes and its administration", () => {
    expect(totalOf(text, "keywarden_cache_lookups_total", { result: "miss" })).toBeGreaterThan(0);
    expect(totalOf(text, "keywarden_cache_lookups_total", { result: "hit" })).toBeGreaterThan(0);
    expect(totalOf(text, "keywarden_store_reads_total", { read: "tokens" })).toBeGreaterThan(0);
    expect(totalOf(text, "keywarden_store_reads_total", { read: "changes" })).toBeGreaterThan(0);
    expect(totalOf(text, "keywarden_commits_total", { change: "update-key", outcome: "ok" })).toBe(1);
    expect(totalOf(text, "keywarden_commit_duration_seconds_count")).toBe(
      totalOf(text, "keywarden_commits_total"),
    );
    expect(totalOf(text, "keywarden_store_revision")).toBeGreaterThanOrEqual(5);
    expect(totalOf(text, "keywarden_admin_calls_total", { method: "RevokeKey", status: "OK" })).toBe(1);
    expect(totalOf(text, "keywarden_admin_calls_total", { method: "GetKey", status: "OK" })).toBe(0);
    expect(totalOf(text, "keywarden_admin_calls_total", { method: "GetKey" })).toBe(1);
    expect(totalOf(text, "keywarden_audit_checks_total", { result: "sound" })).toBe(1);
    expect(totalOf(text, "keywarden_workers")).toBe(2);
    expect(totalOf(text, "keywarden_build_info")).toBe(1);
    expect(totalOf(text, "process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
    const threads = samplesOf(text)
      .filter(({ name }) => name === "keywarden_event_loop_active_seconds_total")
      .map(({ labels }) => labels["thread"]);
    expect(threads.toSorted()).toEqual(["1", "2", "main"]);
  });

  it("tells it in a way that promtool has nothing to say against", () => {
    expect(expositionProblems(text)).toEqual([]);
    const check = promtool();
    if (check !== undefined) expect(check(["check", "metrics"], text)).toEqual({ ok: true, output: "" });
  });

  it("tells nobody a token or a key's id", () => {
    for (const secret of [key.token, key.keyId, server.adminToken, "acct_1", "orders"]) {
      expect(text).not.toContain(secret);
    }
  });

  it("says that it is alive, and ready", async () => {
    for (const path of ["healthz", "readyz"]) {
      expect((await fetch(`http://${server.adminHttp}/${path}`)).status).toBe(200);
    }
  });
});

describe("the check of an exposition finds", () => {
  it.each([
    ["# HELP a_total b\n# TYPE a_total gauge\na_total 1", "a_total ends with _total and is no counter"],
    ["# HELP a b\n# TYPE a counter\na 1", "the counter a does not end with _total"],
    ["# TYPE a gauge\na 1", "a has no help"],
    ["a 1", "a has no type"],
    ['# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2', "a is there twice"],
    ["# HELP a_total b\n# TYPE a_total counter\na_total -1", "the counter a_total is -1"],
  ])("in %j", (text, problem) => {
    expect(expositionProblems(text)).toContain(problem);
    const check = promtool();
    // promtool reads no values and does not know of series that are there twice.
    const known = !/twice|-1|no type/.test(problem);
    if (check !== undefined && known) expect(check(["check", "metrics"], `${text}\n`).ok).toBe(false);
  });
});

describe("a server", () => {
  const place = placePerTest();

  const start = (flags: readonly string[] = [], options: Partial<StartOptions> = {}) =>
    place.start({ flags: ["--environment", "test", ...flags], ...options });

  it("counts a record that was changed behind its back, and denies it", async () => {
    const server = await start();
    const { keyId, token } = await createKey(server);
    const db = new Database(place.path("keywarden.db"));
    db.prepare(`UPDATE keys SET scopes = '["*"]' WHERE id = ?`).run(keyId);
    db.close();
    expect((await server.verifyClient().verifyKey({ token })).allowed).toBe(false);
    const text = await scrape(server);
    expect(totalOf(text, "keywarden_seal_failures_total", { record: "key" })).toBe(1);
    expect(totalOf(text, "keywarden_seal_failures_total")).toBe(1);
  });

  it("counts a thread that dies and is replaced, and forgets nothing that the dead one has counted", async () => {
    const server = await start([], {
      entry: "test/e2e/workers/serve-dying-on-command.ts",
      variables: { DEATHS: place.directory },
    });
    const { token } = await createKey(server);
    const client = server.verifyClient();
    await client.verifyKey({ token });
    writeFileSync(place.path("die-by-exception"), "");
    await expect(
      client.verifyKey({ token: generateToken("ord", "test", randomBytes).reveal() }),
    ).rejects.toMatchObject({ status: "UNAVAILABLE" });
    const text = await eventually(server, (now) => totalOf(now, "keywarden_worker_restarts_total") > 0);
    expect(totalOf(text, "keywarden_worker_restarts_total")).toBe(1);
    expect(totalOf(text, "keywarden_verifications_total", { reason: "ALLOWED" })).toBe(1);
  });

  it("shows its metrics only to who has a credential for it, where other machines could ask", async () => {
    const server = await start(["--admin-http", AS_IF_PUBLIC, "--insecure-plaintext"]);
    const url = `http://${server.adminHttp}/metrics`;
    const admin = server.adminClient();
    const credential = async (scope: string) => {
      const fields = { api: "keywarden", environment: "live", owner: "monitoring", scopes: [scope] };
      return (await admin.createKey({ key: fields })).token;
    };
    const status = async (authorization: string) => (await fetch(url, { headers: { authorization } })).status;
    expect((await fetch(url)).status).toBe(401);
    expect(await status("Bearer nonsense")).toBe(401);
    expect(await status(`Bearer ${await credential("keys:read")}`)).toBe(403);
    expect(await status(`Bearer ${await credential("usage:read")}`)).toBe(200);
    expect((await fetch(`http://${server.adminHttp}/readyz`)).status).toBe(200);
  });

  it("tells its metrics over TLS, and when its certificate expires", async () => {
    const authority = await createTestAuthority();
    const until = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
    const { cert, key } = await authority.issue({ until });
    for (const [name, pem] of Object.entries({ cert, key })) writeFileSync(place.path(name), pem);
    const tls = ["--tls-cert", place.path("cert"), "--tls-key", place.path("key")];
    const server = await start(tls);
    const port = Number(server.adminHttp.split(":").at(-1));
    const response = Promise.withResolvers<string>();
    get({ host: "127.0.0.1", port, path: "/metrics", ca: authority.cert, agent: false }, async (incoming) => {
      let text = "";
      for await (const chunk of incoming) text += chunk;
      response.resolve(text);
    }).on("error", response.reject);
    const text = await response.promise;
    const name = "keywarden_tls_certificate_expiry_timestamp_seconds";
    expect(totalOf(text, name, { thread: "main" })).toBe(until.getTime() / 1000);
    expect(totalOf(text, name, { thread: "1" })).toBe(until.getTime() / 1000);
  });

  it("serves no HTTP where it is told not to", async () => {
    const server = await start(["--admin-http", "off"]);
    expect(server.adminHttp).toBe("undefined");
    expect(await server.stop()).toBe(0);
  });

  it("sends what it serves as a part of a caller's trace, from every plane, with no token in it", async () => {
    const collector = await Collector.start();
    const server = await start(["--otlp-endpoint", collector.address, "--trace-sample", "0"]);
    const { keyId, token } = await createKey(server);
    const call = async (flags: string) => {
      const metadata = () => ({ traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}` });
      const client = createRpcClient(VerifyService, server.grpc, { deadlineMs: 20_000, metadata });
      await client.verifyKey({ token });
      client.close();
    };
    await call("00");
    await call("01");
    const ask = async (path: string, flags: string) => {
      const headers = {
        traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}`,
        authorization: `Bearer ${token}`,
      };
      await (await fetch(`http://${server.adminHttp}${path}`, { headers })).text();
    };
    await ask("/metrics?key=secret", "00");
    await ask("/metrics?key=secret", "01");
    await ask("/secret", "01");
    expect(await server.stop()).toBe(0);
    collector.stop();
    const spans = new Map(collector.spans.map((span) => [span.name, span]));
    expect([...spans.keys()].toSorted()).toEqual([
      "GET",
      "GET /metrics",
      "keywarden.v1.VerifyService/VerifyKey",
    ]);
    expect(collector.spans).toHaveLength(3);
    for (const span of collector.spans) {
      expect(span).toMatchObject({ traceId: TRACE, parentSpanId: "b7ad6b7169203331", kind: 2 });
    }
    expect(attributesOf(spans.get("GET /metrics"))).toEqual({
      "http.request.method": "GET",
      "http.route": "/metrics",
      "http.response.status_code": 200,
    });
    expect(attributesOf(spans.get("GET"))).toMatchObject({ "http.response.status_code": 404 });
    expect(collector.bodies).not.toContain("secret");
    expect(attributesOf(spans.get("keywarden.v1.VerifyService/VerifyKey"))).toMatchObject({
      "rpc.method": "VerifyKey",
      "rpc.grpc.status_code": 0,
      "keywarden.reason": "ALLOWED",
      "keywarden.key_id": keyId,
    });
    expect(collector.bodies).not.toContain(token);
  });

  it("logs a call of its administration with the client's own name for it, as the audit has it", async () => {
    const server = await start(["--log-level", "debug"]);
    await createKey(server);
    const lines = server
      .output()
      .split("\n")
      .filter((line) => line.includes('"admin call"'))
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { method: "CreateApi", status: "OK" },
      { method: "CreateKey", status: "OK" },
    ]);
    const { events } = await server.adminClient().listAuditEvents({ pageSize: 10 });
    const audited = events.map(({ requestId }) => requestId);
    for (const { requestId } of lines) expect(audited).toContain(requestId);
  });
});
