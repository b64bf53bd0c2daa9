import { statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { QueryUsageRequest_Granularity as Granularity } from "../../src/gen/keywarden/v1/usage_pb.ts";
import { ReasonSchema } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { keywarden } from "../support/command-line.ts";
import type { AdminClient, KeywardenProcess, VerifyClient } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";

const place = placePerTest();

const SOON = ["--usage-flush", "100ms"];
const LATE = ["--usage-flush", "1h"];

function start(flags: readonly string[]): Promise<KeywardenProcess> {
  return place.start({ flags: ["--environment", "test", "--workers", "2", ...flags] });
}

async function createApi(admin: AdminClient): Promise<void> {
  await admin.createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test", "live"] },
  });
}

type NewKey = NonNullable<Parameters<AdminClient["createKey"]>[0]["key"]>;

async function createKey(admin: AdminClient, fields: NewKey = {}) {
  const { key, token } = await admin.createKey({
    key: { api: "orders", environment: "test", owner: "acct_1", ...fields },
  });
  return { keyId: key!.keyId, token };
}

/** Clients whose connections the system deals out among the threads. */
function clientsOf({ verifyClient }: KeywardenProcess): (index: number) => VerifyClient {
  const clients = Array.from({ length: 8 }, verifyClient);
  return (index) => clients[index % clients.length]!;
}

type Question = Parameters<AdminClient["queryUsage"]>[0];

/** What was counted in all, by reason. */
async function totals(admin: AdminClient, question: Question): Promise<Record<string, number>> {
  const response = await admin.queryUsage(question);
  return Object.fromEntries(
    response.totals.map(({ reason, count }) => [ReasonSchema.value[reason]!.localName, Number(count)]),
  );
}

/** Asks until the answer is as expected, and once more: it must stay so. */
async function eventually<Answer>(ask: () => Promise<Answer>, expected: Answer): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (JSON.stringify(await ask()) === JSON.stringify(expected)) break;
    await delay(50);
  }
  expect(await ask()).toEqual(expected);
}

it("counts every verification of two threads once, by its outcome, for its key, its API and in all", async () => {
  const running = await start(SOON);
  const admin = running.adminClient();
  await createApi(admin);
  const keys = {
    good: await createKey(admin, { scopes: ["orders:read"] }),
    limited: await createKey(admin, {
      rateLimits: [{ name: "day", quota: 5, window: { seconds: 86_400n } }],
    }),
    elsewhere: await createKey(admin, { allowedCidrs: ["203.0.113.0/24"] }),
    disabled: await createKey(admin),
    revoked: await createKey(admin),
    live: await createKey(admin, { environment: "live" }),
  };
  await admin.disableKey({ keyId: keys.disabled.keyId });
  await admin.revokeKey({ keyId: keys.revoked.keyId });
  const client = clientsOf(running);
  const asked: Promise<unknown>[] = [];
  const ask = (times: number, question: Parameters<VerifyClient["verifyKey"]>[0]) => {
    for (let index = 0; index < times; index++) asked.push(client(asked.length).verifyKey(question));
  };
  ask(40, { token: keys.good.token, requiredScope: "orders:read" });
  ask(9, { token: keys.good.token, requiredScope: "orders:write" });
  ask(8, { token: keys.good.token, dryRun: true });
  ask(12, { token: keys.limited.token });
  ask(6, { token: keys.elsewhere.token, clientIp: "198.51.100.1" });
  ask(5, { token: keys.disabled.token });
  ask(4, { token: keys.revoked.token });
  ask(3, { token: keys.live.token });
  ask(2, { token: "" });
  ask(1, { token: "nonsense" });
  await Promise.all(asked);
  await client(0).batchVerifyKeys({ requests: [{ token: keys.good.token }, { token: keys.good.token }] });

  await eventually(() => totals(admin, { keyId: keys.good.keyId }), { ALLOWED: 42, INSUFFICIENT_SCOPE: 9 });
  await eventually(() => totals(admin, { keyId: keys.limited.keyId }), { ALLOWED: 5, RATE_LIMITED: 7 });
  const ofApi = {
    ALLOWED: 47,
    DISABLED: 5,
    INSUFFICIENT_SCOPE: 9,
    IP_NOT_ALLOWED: 6,
    RATE_LIMITED: 7,
    REVOKED: 4,
  };
  await eventually(() => totals(admin, { api: "orders" }), ofApi);
  await eventually(() => totals(admin, { api: "orders", environment: "test" }), ofApi);
  expect(await totals(admin, { api: "orders", environment: "live" })).toEqual({});
  const all = await totals(admin, {});
  expect(all).toMatchObject({ WRONG_ENVIRONMENT: 3, MISSING_TOKEN: 2, MALFORMED_TOKEN: 1, REVOKED: 4 });
  const { buckets } = await admin.queryUsage({ api: "orders", granularity: Granularity.HOUR });
  for (const { startTime } of buckets) expect(Number(startTime!.seconds) % 3_600).toBe(0);

  await shows(running, keys.good.keyId);
});

/** What a person and a program see of the key's 42 allowed and 9 denied calls. */
async function shows({ adminGrpc }: KeywardenProcess, keyId: string): Promise<void> {
  const variables = {
    KEYWARDEN_ADDRESS: adminGrpc,
    KEYWARDEN_TOKEN_FILE: place.path("admin-token"),
    NO_COLOR: "1",
  };
  const table = await keywarden(["usage", "--key", keyId, "--since", "1d"], { variables });
  expect(table.stderr).toBe("");
  expect(table.stdout).toMatch(/^DAY \(UTC\) +ALLOWED +DENIED +WHY DENIED\n/);
  expect(table.stdout).toMatch(/total +42 +9 +INSUFFICIENT_SCOPE 9\n$/);
  const { stdout } = await keywarden(["usage", "--api", "orders", "--by", "hour", "--json"], { variables });
  expect(JSON.parse(stdout).totals).toContainEqual({ reason: "REASON_ALLOWED", count: "47" });
  const nothing = await keywarden(["usage", "--api", "keywarden", "--environment", "test"], { variables });
  expect(nothing).toMatchObject({ code: 0, stdout: "", stderr: "no verifications in this time\n" });
  const both = await keywarden(["usage", "--api", "orders", "--key", keyId], { variables });
  expect(both.code).toBe(2);
  const unused = await keywarden(["key", "list", "--unused-for", "0s", "--quiet"], { variables });
  expect(unused.stdout).toContain(keyId);
}

it("shows when and from where the token before a rotation was last used, until the grace is ended", async () => {
  const running = await start(SOON);
  const admin = running.adminClient();
  await createApi(admin);
  const { keyId, token: oldToken } = await createKey(admin);
  const fresh = (await admin.getKey({ keyId })).key!;
  expect(fresh.lastUse).toBeUndefined();
  const rotated = await admin.rotateKey({ keyId, grace: { seconds: 3_600n } });
  expect(rotated.key!.previousToken!.lastUse).toBeUndefined();

  const client = running.verifyClient();
  const before = Date.now();
  await client.verifyKey({ token: oldToken, clientIp: "203.0.113.7" });
  await client.verifyKey({ token: rotated.token, clientIp: "2001:db8::1" });
  await client.verifyKey({ token: rotated.token, requiredScope: "orders:read", clientIp: "198.51.100.9" });
  const ips = async () => {
    const { keys } = await admin.listKeys({ api: "orders" });
    return keys.map(({ lastUse, previousToken }) => [lastUse?.clientIp, previousToken?.lastUse?.clientIp]);
  };
  await eventually(ips, [["2001:db8::1", "203.0.113.7"]]);
  const { lastUse, previousToken } = (await admin.getKey({ keyId })).key!;
  for (const use of [lastUse, previousToken!.lastUse]) {
    expect(Number(use!.time!.seconds)).toBeGreaterThanOrEqual(Math.floor(before / 1_000));
    expect(Number(use!.time!.seconds)).toBeLessThanOrEqual(Date.now() / 1_000);
  }

  const again = await admin.rotateKey({ keyId, grace: { seconds: 3_600n } });
  expect(again.key).toMatchObject({ previousToken: { lastUse: { clientIp: "2001:db8::1" } } });
  expect(again.key!.lastUse).toBeUndefined();
  const { key: ended } = await admin.endGrace({ keyId });
  expect(ended!.previousToken).toBeUndefined();
  expect(ended!.lastUse).toBeUndefined();
});

it("writes nothing for a verification until it is time, and everything when the server is stopped", async () => {
  const running = await start(LATE);
  const admin = running.adminClient();
  await createApi(admin);
  const { keyId, token } = await createKey(admin);
  const client = clientsOf(running);
  await Promise.all(Array.from({ length: 16 }, (_, index) => client(index).verifyKey({ token })));

  const path = place.path("keywarden.db");
  const database = new Database(path, { readonly: true });
  const state = () => [
    database.pragma("data_version", { simple: true }),
    ...[path, `${path}-wal`].map((file) => [statSync(file).size, statSync(file).mtimeMs]),
  ];
  const before = state();
  await Promise.all(Array.from({ length: 2_000 }, (_, index) => client(index).verifyKey({ token })));
  expect(state()).toEqual(before);
  expect(await totals(admin, { keyId })).toEqual({});
  database.close();

  expect(await running.stop()).toBe(0);
  const again = await start(LATE);
  expect(await totals(again.adminClient(), { keyId })).toEqual({ ALLOWED: 2_016 });
});

it("loses no more than what was not written yet when it is killed", async () => {
  const running = await start(SOON);
  const admin = running.adminClient();
  await createApi(admin);
  const { keyId, token } = await createKey(admin);
  const client = clientsOf(running);
  const verify = (times: number) =>
    Promise.all(Array.from({ length: times }, (_, index) => client(index).verifyKey({ token })));
  await verify(300);
  await eventually(() => totals(admin, { keyId }), { ALLOWED: 300 });
  await verify(50);
  await running.kill();

  const again = await start(SOON);
  const { ALLOWED: counted = 0 } = await totals(again.adminClient(), { keyId });
  expect(counted).toBeGreaterThanOrEqual(300);
  expect(counted).toBeLessThanOrEqual(350);
  expect((await again.adminClient().getKey({ keyId })).key!.lastUse).toBeDefined();
});

it("counts the use of credentials too, and lets only those ask that may", async () => {
  const running = await start(SOON);
  const admin = running.adminClient();
  await createApi(admin);
  await eventually(async () => "ALLOWED" in (await totals(admin, { api: "keywarden" })), true);
  const { token } = await admin.createKey({
    key: { api: "keywarden", environment: "live", owner: "ops", scopes: ["keys:read"] },
  });
  const settings = { KEYWARDEN_ADDRESS: running.adminGrpc, KEYWARDEN_ADMIN_TOKEN: token };
  const { code, stderr } = await keywarden(["usage"], { variables: settings });
  expect({ code, refused: stderr.includes("usage:read") }).toEqual({ code: 3, refused: true });
});
