import { describe, expect, it } from "vitest";
import { overrideStore } from "../../test/support/override-store.ts";
import { question } from "../../test/support/question.ts";
import { ENTRY } from "../../test/support/records.ts";
import { verifierPerTest } from "../../test/support/verifier-per-test.ts";
import type { Environment } from "../domain/api.ts";
import { revoke } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Reason } from "../domain/reason.ts";
import type { VerifyRequest } from "./verification.ts";

const own = verifierPerTest();
const { ask, build, keep, stored, unknownToken } = own;

describe("each outcome", () => {
  const LATER = 2_000_000;
  const rateLimits = [{ name: "default", quota: 10, window: 10_000 }];
  const outcomes: readonly [Reason, () => Promise<Partial<VerifyRequest>>][] = [
    ["ALLOWED", async () => ({ token: (await stored()).token, requiredScope: "orders:read" })],
    ["MISSING_TOKEN", async () => ({})],
    ["MALFORMED_TOKEN", async () => ({ token: `${(await stored()).token}x` })],
    ["WRONG_API", async () => ({ token: unknownToken("oth"), api: "orders" })],
    ["WRONG_ENVIRONMENT", async () => ({ token: (await stored()).token, environment: "live" })],
    ["UNKNOWN_TOKEN", async () => ({ token: unknownToken("oth") })],
    ["REVOKED", async () => ({ token: (await stored({ state: "REVOKED" })).token })],
    ["DISABLED", async () => ({ token: (await stored({ state: "DISABLED" })).token })],
    ["EXPIRED", async () => ({ token: (await stored({ expireTime: 1_000_000 })).token })],
    ["IP_NOT_ALLOWED", async () => ({ token: (await stored({ allowedCidrs: ["192.0.2.0/24"] })).token })],
    ["INSUFFICIENT_SCOPE", async () => ({ token: (await stored()).token, requiredScope: "orders:write" })],
    [
      "RATE_LIMITED",
      async () => ({ token: (await stored({ rateLimits, expireTime: LATER })).token, cost: 11 }),
    ],
  ];
  for (const [reason, request] of outcomes) {
    it(`is ${reason}, from the store and from the cache`, async () => {
      const asked = await request();
      expect(await ask(asked)).toBe(reason);
      expect(await ask(asked)).toBe(reason);
      expect(own.reads).toBeLessThanOrEqual(1);
      expect(own.errors).toEqual([]);
    });
  }
});

it("tells an end client the same of every token that is not valid", async () => {
  const tokens = [
    unknownToken(),
    (await stored({ state: "REVOKED" })).token,
    (await stored({ state: "DISABLED" })).token,
    (await stored({ expireTime: 5 })).token,
    "not a token",
  ];
  const told = new Set<string>();
  for (const token of tokens) {
    const { message, wwwAuthenticate } = await own.verifier.verifyOne(question({ token, api: "orders" }));
    told.add(`${message}|${wwwAuthenticate}`);
  }
  expect([...told]).toEqual([
    'the API key is not valid|Bearer realm="orders", error="invalid_token", error_description="the API key is not valid"',
  ]);
});

it("names the realm without telling whether an imported token exists", async () => {
  await keep("legacy-0123456789abcdef", { state: "REVOKED" });
  const challenges = [];
  for (const token of ["legacy-0123456789abcdef", "legacy-fedcba9876543210"]) {
    challenges.push((await own.verifier.verifyOne(question({ token }))).wwwAuthenticate);
  }
  expect(challenges[0]).toBe(challenges[1]);
});

describe("imported tokens", () => {
  const token = "legacy-0123456789abcdef";

  it("are verified by their record's API and environment", async () => {
    await keep(token, { environment: "live" as Environment });
    expect(await ask({ token, environment: "live" })).toBe("ALLOWED");
    expect(await ask({ token, environment: "live", api: "orders" })).toBe("ALLOWED");
    expect(await ask({ token, environment: "test" })).toBe("WRONG_ENVIRONMENT");
    expect(await ask({ token, environment: "test", api: "other" })).toBe("MALFORMED_TOKEN");
    expect(await ask({ token: "legacy-short" })).toBe("MALFORMED_TOKEN");
  });

  it("need an environment as all others do", async () => {
    await keep(token, {});
    await expect(own.verifier.verifyOne(question({ token, environment: "" }))).rejects.toMatchObject({
      reason: "ENVIRONMENT_REQUIRED",
    });
    expect(await ask({ token: "legacy-fedcba9876543210", environment: "" })).toBe("UNKNOWN_TOKEN");
  });
});

it("takes the server's environment where the request names none", async () => {
  const { token } = await stored();
  own.verifier = build(own.store, "test");
  expect(await ask({ token, environment: "" })).toBe("ALLOWED");
  own.verifier = build(own.store, "live");
  expect(await ask({ token, environment: "" })).toBe("WRONG_ENVIRONMENT");
});

it("denies a revoked key on the very next call", async () => {
  const { token, key } = await stored();
  expect(await ask({ token })).toBe("ALLOWED");
  await own.store.commit({ kind: "update-key", key: revoke(key, own.now), expected: key.revision }, ENTRY);
  expect(await ask({ token })).toBe("REVOKED");
});

it("allows a new key on the very next call, even if its token was asked for before", async () => {
  const token = unknownToken();
  expect(await ask({ token })).toBe("UNKNOWN_TOKEN");
  await keep(token, {});
  expect(await ask({ token })).toBe("ALLOWED");
});

it("treats a record that cannot be trusted as unknown, until it can be", async () => {
  const { token, key } = await stored({ owner: "tampered" });
  expect(await ask({ token })).toBe("UNKNOWN_TOKEN");
  await own.store.commit(
    { kind: "update-key", key: { ...key, owner: "acct_1" }, expected: key.revision },
    ENTRY,
  );
  expect(await ask({ token })).toBe("ALLOWED");
});

describe("a store that cannot be asked", () => {
  const unavailable = new KeywardenError({
    status: "UNAVAILABLE",
    reason: "STORE_UNAVAILABLE",
    message: "gone",
  });

  for (const method of ["version", "changesSince", "allApis", "findTokens"] as const) {
    it(`allows nothing when ${method} fails, and goes on once it works again`, async () => {
      const { token } = await stored();
      let broken = true;
      own.verifier = build(
        overrideStore(own.store, {
          [method]: (...args: never[]) => {
            if (!broken) return (own.store[method] as (...args: never[]) => unknown)(...args);
            if (method === "version") throw unavailable;
            return Promise.reject(unavailable);
          },
        }),
      );
      await expect(own.verifier.verifyOne(question({ token }))).rejects.toBe(unavailable);
      broken = false;
      expect(await ask({ token })).toBe("ALLOWED");
    });
  }

  it("fails with INTERNAL, and says so to the log alone, on what nobody foresaw", async () => {
    const bug = new TypeError("x is not a function");
    own.verifier = build(
      overrideStore(own.store, {
        version: () => {
          throw bug;
        },
      }),
    );
    await expect(own.verifier.verifyOne(question({ token: "t" }))).rejects.toMatchObject({
      status: "INTERNAL",
      message: "internal error",
    });
    expect(own.errors).toEqual([bug]);
  });
});
