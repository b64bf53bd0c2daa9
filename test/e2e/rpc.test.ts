import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRpcClient } from "../../src/cli/rpc-client.ts";
import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { Key_State } from "../../src/gen/keywarden/v1/key_pb.ts";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import {
  type AdminClient,
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
  type VerifyClient,
} from "../support/keywarden-process.ts";
import { rpcErrorOf } from "../support/rejection.ts";

const directory = temporaryDirectory();
let server: KeywardenProcess;
let admin: AdminClient;
let verify: VerifyClient;

beforeAll(async () => {
  server = await startKeywarden({ directory: directory.path, flags: ["--environment", "test"] });
  admin = server.adminClient();
  verify = server.verifyClient();
  await admin.createApi({
    api: {
      apiId: "c2p",
      displayName: "C2P",
      tokenPrefix: "c2p",
      environments: ["test", "live"],
      scopes: [{ name: "orders:read" }, { name: "orders:write" }, { name: "files:read" }],
    },
  });
});
afterAll(async () => {
  await server.stop();
  directory.remove();
});

async function newKey(fields: Parameters<AdminClient["createKey"]>[0]["key"] = {}) {
  const { key, token } = await admin.createKey({
    key: { api: "c2p", environment: "test", owner: "acct_1", scopes: ["orders:read"], ...fields },
  });
  return { keyId: key!.keyId, key: key!, token };
}

describe("VerifyKey", () => {
  it("answers an allowed call with all that a backend needs", async () => {
    const { key, token } = await newKey({
      displayName: "CI",
      metadata: { team: "a" },
      rateLimits: [{ name: "default", quota: 10, window: durationFromMs(60_000) }],
      expiration: { case: "ttl", value: durationFromMs(3_600_000) },
    });
    const response = await verify.verifyKey({ token, requiredScope: "orders:read", cost: 3 });
    expect(response).toMatchObject({
      allowed: true,
      reason: Reason.ALLOWED,
      httpStatus: 200,
      wwwAuthenticate: "",
      key: {
        keyId: key.keyId,
        api: "c2p",
        environment: "test",
        owner: "acct_1",
        displayName: "CI",
        scopes: ["orders:read"],
        metadata: { team: "a" },
        expireTime: key.expiration.value,
      },
      rateLimit: { name: "default", quota: 10, window: durationFromMs(60_000), remaining: 7 },
    });
    expect(response.retryAfter).toBeUndefined();
    expect(response.revision).toBeGreaterThanOrEqual(BigInt(key.etag));
  });

  it("answers a denial with OK, a reason, and nothing of the key", async () => {
    const { token } = await newKey();
    expect(await verify.verifyKey({ token, requiredScope: "orders:write OR files:read" })).toMatchObject({
      allowed: false,
      reason: Reason.INSUFFICIENT_SCOPE,
      httpStatus: 403,
      wwwAuthenticate: expect.stringMatching(/^Bearer realm="c2p".*scope="orders:write files:read"$/),
    });
    const limited = await newKey({
      rateLimits: [{ name: "slow", quota: 1, window: durationFromMs(10_000) }],
    });
    await verify.verifyKey({ token: limited.token });
    const denied = await verify.verifyKey({ token: limited.token });
    expect(denied).toMatchObject({
      reason: Reason.RATE_LIMITED,
      httpStatus: 429,
      rateLimit: { name: "slow", remaining: 0 },
    });
    expect(Number(denied.retryAfter?.seconds)).toBeGreaterThan(0);
    expect(denied.key).toBeUndefined();
  });

  it("says where a broken scope expression is broken", async () => {
    const { token } = await newKey();
    const error = await rpcErrorOf(verify.verifyKey({ token, requiredScope: "orders:read AND (files:read" }));
    expect(error).toMatchObject({ status: "INVALID_ARGUMENT", reason: "INVALID_SCOPE_EXPRESSION" });
    expect(error.violations).toMatchObject([{ field: "required_scope" }]);
  });

  it("serves the server's environment, unless the request says another", async () => {
    const live = await newKey({ environment: "live" });
    expect(await verify.verifyKey({ token: live.token })).toMatchObject({
      reason: Reason.WRONG_ENVIRONMENT,
      message: "a live key does not work in test mode",
    });
    expect(await verify.verifyKey({ token: live.token, environment: "live" })).toMatchObject({
      allowed: true,
    });
    expect(await verify.verifyKey({ token: live.token, environment: "*" })).toMatchObject({
      key: { environment: "live" },
    });
  });

  it("never takes an admin credential for a customer's key", async () => {
    for (const environment of ["", "live", "*"]) {
      expect(await verify.verifyKey({ token: server.adminToken, environment })).toMatchObject({
        reason: Reason.WRONG_API,
      });
    }
    expect(await verify.verifyKey({ token: server.adminToken, api: "c2p" })).toMatchObject({
      reason: Reason.WRONG_API,
    });
  });
});

describe("BatchVerifyKeys", () => {
  it("gives each item the outcome that it would have had alone, in their order", async () => {
    const { token } = await newKey({ rateLimits: [{ name: "d", quota: 2, window: durationFromMs(60_000) }] });
    const { results } = await verify.batchVerifyKeys({
      requests: [
        { token },
        { token: "" },
        { token, requiredScope: "((" },
        { token, dryRun: true },
        { token },
        { token },
        { token: `${token}x` },
      ],
    });
    const told = results.map(({ outcome }) =>
      outcome.case === "error" ? outcome.value.code : outcome.value?.reason,
    );
    expect(told).toEqual([
      Reason.ALLOWED,
      Reason.MISSING_TOKEN,
      3,
      Reason.ALLOWED,
      Reason.ALLOWED,
      Reason.RATE_LIMITED,
      Reason.MALFORMED_TOKEN,
    ]);
  });

  it("takes 1 to 100 items", async () => {
    const { token } = await newKey();
    const full = await verify.batchVerifyKeys({ requests: Array.from({ length: 100 }, () => ({ token })) });
    expect(full.results.every(({ outcome }) => outcome.case === "response" && outcome.value.allowed)).toBe(
      true,
    );
    for (const length of [0, 101]) {
      const error = await rpcErrorOf(
        verify.batchVerifyKeys({ requests: Array.from({ length }, () => ({ token })) }),
      );
      expect(error).toMatchObject({ status: "INVALID_ARGUMENT", violations: [{ field: "requests" }] });
    }
  });
});

describe("AdminService", () => {
  it("needs one valid admin credential", async () => {
    const { token } = await newKey({ environment: "live" });
    const credentials = [
      "",
      `Bearer ${token}`,
      "Bearer nonsense",
      `Basic ${server.adminToken}`,
      `Bearer ${server.adminToken}, Bearer x`,
    ];
    for (const authorization of credentials) {
      const client = createRpcClient(AdminService, server.adminGrpc, {
        deadlineMs: 10_000,
        metadata: () => (authorization === "" ? {} : { authorization }),
      });
      const calls = [
        () => client.listKeys({}),
        () => client.createKey({ key: { api: "c2p", owner: "x" } }),
        () => client.revokeKey({ keyId: "x" }),
      ];
      for (const call of calls) {
        expect(await rpcErrorOf(call())).toMatchObject({
          status: "UNAUTHENTICATED",
          reason: "UNAUTHENTICATED",
        });
      }
      client.close();
    }
  });

  it("takes the fields that the mask names, without a mask those that are set, and with * all", async () => {
    const { keyId } = await newKey({ displayName: "one", metadata: { a: "b" } });
    const byMask = await admin.updateKey({
      key: { keyId, displayName: "two", owner: "x" },
      updateMask: { paths: ["display_name"] },
    });
    expect(byMask.key).toMatchObject({ displayName: "two", owner: "acct_1", metadata: { a: "b" } });
    const bySet = await admin.updateKey({ key: { keyId, owner: "acct_2" } });
    expect(bySet.key).toMatchObject({ displayName: "two", owner: "acct_2", metadata: { a: "b" } });
    const whole = await admin.updateKey({ key: { keyId, owner: "acct_3" }, updateMask: { paths: ["*"] } });
    expect(whole.key).toMatchObject({ displayName: "", owner: "acct_3", scopes: [], metadata: {} });
    for (const paths of [["state"], ["display_name", "nope"], ["key.owner"]]) {
      const error = await rpcErrorOf(admin.updateKey({ key: { keyId }, updateMask: { paths } }));
      expect(error).toMatchObject({ status: "INVALID_ARGUMENT", reason: "INVALID_UPDATE_MASK" });
    }
  });

  it("sets, moves and removes an expiry", async () => {
    const { keyId } = await newKey();
    const at = timestampFromMs(Date.now() + 86_400_000);
    const moved = await admin.updateKey({ key: { keyId, expiration: { case: "expireTime", value: at } } });
    expect(moved.key!.expiration).toEqual({ case: "expireTime", value: at });
    const removed = await admin.updateKey({ key: { keyId }, updateMask: { paths: ["expire_time"] } });
    expect(removed.key!.expiration.case).toBeUndefined();
  });

  it("refuses what is no time, no duration and no size, by the field's name", async () => {
    const { keyId } = await newKey();
    const beyond = { seconds: 253_402_300_800n };
    const mixed = { seconds: 1n, nanos: -1 };
    const broken: [() => Promise<unknown>, string][] = [
      [
        () => admin.updateKey({ key: { keyId, expiration: { case: "expireTime", value: beyond } } }),
        "key.expire_time",
      ],
      [() => admin.updateKey({ key: { keyId, expiration: { case: "ttl", value: mixed } } }), "key.ttl"],
      [() => admin.rotateKey({ keyId, grace: mixed }), "grace"],
      [() => admin.rotateKey({ keyId, grace: { seconds: -1n } }), "grace"],
      [() => newKey({ rateLimits: [{ name: "d", quota: 1 }] }), "key.rate_limits[0].window"],
      [() => admin.listKeys({ pageSize: -1 }), "page_size"],
      [() => admin.listKeys({ pageToken: "x" }), "page_token"],
      [() => admin.listKeys({ state: 99 as Key_State }), "state"],
      [() => admin.createKey({}), "key"],
      [() => admin.createApi({}), "api"],
      [() => newKey({ scopes: ["order:read"] }), "key.scopes[0]"],
    ];
    for (const [call, field] of broken) {
      const error = await rpcErrorOf(call());
      expect(error.status).toBe("INVALID_ARGUMENT");
      expect(error.violations.map((violation) => violation.field)).toEqual([field]);
    }
  });

  it("shows a token once, and its hint for ever", async () => {
    const { keyId, token } = await newKey();
    const { key } = await admin.getKey({ keyId });
    expect(key!.hint).toBe(`c2p_test_…${token.slice(-4)}`);
    const rotated = await admin.rotateKey({ keyId, grace: { seconds: 60n } });
    expect(rotated.key!.previousToken!.hint).toBe(key!.hint);
    expect(rotated.token).not.toBe(token);
  });

  it("lists by every filter, a page at a time", async () => {
    const made: string[] = [];
    for (let number = 0; number < 5; number++) made.push((await newKey({ owner: "lister" })).keyId);
    await admin.disableKey({ keyId: made[2]! });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await admin.listKeys({
        api: "c2p",
        environment: "test",
        owner: "lister",
        pageSize: 2,
        pageToken,
      });
      seen.push(...page.keys.map(({ keyId }) => keyId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(made);
    const disabled = await admin.listKeys({ owner: "lister", state: Key_State.DISABLED });
    expect(disabled.keys.map(({ keyId }) => keyId)).toEqual([made[2]]);
  });
});
