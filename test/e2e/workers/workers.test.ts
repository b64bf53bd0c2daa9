import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { generateToken } from "../../../src/domain/token.ts";
import { Reason } from "../../../src/gen/keywarden/v1/verify_service_pb.ts";
import type { AdminClient, KeywardenProcess, VerifyClient } from "../../support/keywarden-process.ts";
import { placePerTest } from "../../support/place-per-test.ts";
import { verificationsOf } from "../../support/verifications-of.ts";
import { COMMAND, type Death } from "./dying-on-command.ts";

const place = placePerTest();

function start(...flags: string[]): Promise<KeywardenProcess> {
  return place.start({ flags: ["--environment", "test", ...flags] });
}

function startDying(flags: readonly string[], variables: Record<string, string> = {}) {
  return place.start({
    entry: "test/e2e/workers/serve-dying-on-command.ts",
    flags: ["--environment", "test", ...flags],
    variables: { DEATHS: place.directory, ...variables },
  });
}

async function createApi(admin: AdminClient): Promise<void> {
  await admin.createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] },
  });
}

async function createKey(admin: AdminClient, rateLimits: { name: string; quota: number }[] = []) {
  const window = { seconds: 31n * 24n * 3_600n };
  const { key, token } = await admin.createKey({
    key: {
      api: "orders",
      environment: "test",
      owner: "acct_1",
      rateLimits: rateLimits.map((limit) => ({ ...limit, window })),
    },
  });
  return { keyId: key!.keyId, token };
}

/** Asks until it is answered, as a client does that tries again; grpc-js waits a second before it connects again. */
async function answered(client: VerifyClient, token: string) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.verifyKey({ token });
    } catch (error) {
      if (attempt === 300) throw error;
      await delay(100);
    }
  }
}

it("lets through exactly the quota of a key whose calls two threads answer at the same time", async () => {
  const running = await start("--workers", "2");
  const admin = running.adminClient();
  await createApi(admin);
  const { token } = await createKey(admin, [{ name: "month", quota: 100 }]);
  const clients = Array.from({ length: 20 }, () => running.verifyClient());
  const calls = Array.from({ length: 1_000 }, (_, index) => clients[index % 20]!.verifyKey({ token }));
  const reasons = (await Promise.all(calls)).map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason === Reason.ALLOWED)).toHaveLength(100);
  expect(reasons.filter((reason) => reason === Reason.RATE_LIMITED)).toHaveLength(900);
  expect(await running.stop()).toBe(0);
  const verifications = verificationsOf(running);
  expect(verifications.size).toBe(2);
  for (const count of verifications.values()) expect(count).toBeGreaterThan(0);
});

it("answers guesses beyond the budget of their source alike from every thread", async () => {
  const running = await start("--workers", "2", "--failure-budget", "1");
  await createApi(running.adminClient());
  const [first, ...others] = Array.from({ length: 21 }, () => running.verifyClient());
  const guess = (client: VerifyClient) => {
    const token = generateToken("ord", "test", randomBytes).reveal();
    return client.verifyKey({ token, clientIp: "203.0.113.7" });
  };
  // By one connection, and so by one thread; there is another one in a minute.
  expect((await guess(first!)).reason).toBe(Reason.UNKNOWN_TOKEN);
  for (const { reason, key, retryAfter, httpStatus } of await Promise.all(others.map(guess))) {
    expect({ reason, key, httpStatus }).toEqual({
      reason: Reason.RATE_LIMITED,
      key: undefined,
      httpStatus: 429,
    });
    expect(retryAfter!.seconds).toBeGreaterThan(0n);
  }
});

it("says which port is taken when a second one with several threads is started, and the first goes on", async () => {
  const running = await start("--workers", "2");
  const directory = place.path("second");
  for (const workers of ["1", "2"]) {
    const second = place.start({ directory, flags: ["--workers", workers, "--grpc", running.grpc] });
    await expect(second).rejects.toThrow(`--grpc: ${running.grpc} is taken by another program`);
  }
  await createApi(running.adminClient());
  expect((await running.verifyClient().verifyKey({ token: "x" })).reason).toBe(Reason.MALFORMED_TOKEN);
});

it("drains every thread when it is stopped: open calls end, nothing new is taken, exit code 0", async () => {
  const running = await start("--workers", "2");
  await createApi(running.adminClient());
  const clients = Array.from({ length: 8 }, () => running.verifyClient());
  await Promise.all(clients.map((client) => client.verifyKey({ token: "x" })));
  expect(await running.stop()).toBe(0);
  expect(verificationsOf(running).size).toBe(2);
  const [host, port] = running.grpc.split(":");
  const refused = new Promise((resolve) => connect(Number(port), host).on("error", resolve));
  expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
});

describe("a thread that dies", () => {
  for (const death of ["exception", "rejection"] satisfies Death[]) {
    it(`of an ${death === "exception" ? "exception" : "unhandled rejection"} fails its calls, allows nothing, and is replaced; what was revoked meanwhile is denied`, async () => {
      const running = await startDying([]);
      const admin = running.adminClient();
      await createApi(admin);
      const kept = await createKey(admin, [{ name: "month", quota: 3 }]);
      const revoked = await createKey(admin);
      const client = running.verifyClient();
      expect((await client.verifyKey({ token: kept.token })).allowed).toBe(true);
      expect((await client.verifyKey({ token: revoked.token })).allowed).toBe(true);

      writeFileSync(place.path(`${COMMAND}${death}`), "");
      const uncached = await createKey(admin);
      const calls = [uncached.token, kept.token].map((token) =>
        client.verifyKey({ token, dryRun: true }).catch((error) => error.status),
      );
      expect((await Promise.all(calls))[0]).toBe("UNAVAILABLE");
      await admin.revokeKey({ keyId: revoked.keyId });

      expect((await answered(client, revoked.token)).reason).toBe(Reason.REVOKED);
      expect((await answered(client, uncached.token)).reason).toBe(Reason.ALLOWED);
      // Nor does it get its quota back: one of three was spent before.
      const reasons = [];
      for (let call = 0; call < 3; call++) reasons.push((await answered(client, kept.token)).reason);
      expect(reasons).toEqual([Reason.ALLOWED, Reason.ALLOWED, Reason.RATE_LIMITED]);
      expect(running.output()).toContain("starting another");
      expect(await running.stop()).toBe(0);
    });
  }

  it("again and again makes the server stop with a failure, which says so", async () => {
    const running = await startDying(["--workers", "2"], { DIE_AGAIN: "1" });
    const admin = running.adminClient();
    await createApi(admin);
    const { token } = await createKey(admin);
    writeFileSync(place.path(`${COMMAND}exception`), "");
    const state = { isRunning: true };
    const ended = running.ended.finally(() => {
      state.isRunning = false;
    });
    const asking = Array.from({ length: 4 }, async () => {
      for (let call = 0; call < 600 && state.isRunning; call++) {
        const failure = running.verifyClient().verifyKey({ token });
        await expect(failure).rejects.toMatchObject({ status: "UNAVAILABLE" });
        await delay(50);
      }
    });
    await Promise.all(asking);
    expect(await ended).toBe(5);
    expect(running.output()).toContain("died 5 times within a minute");
  });
});
