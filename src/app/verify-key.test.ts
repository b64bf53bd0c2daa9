import { beforeEach, describe, expect, it } from "vitest";
import { testLedgers } from "../../test/support/ledgers.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { question } from "../../test/support/question.ts";
import { ENTRY, testApi, testKey, testKeyId } from "../../test/support/records.ts";
import { createMemoryStore } from "../adapters/memory/memory-store.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import { createPepper, digestToken, hashToken } from "../domain/digest.ts";
import { compileKey, type Key, type KeyRecord, revoke } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Reason } from "../domain/reason.ts";
import type { Revision } from "../domain/revision.ts";
import { generateToken } from "../domain/token.ts";
import type { Store } from "../ports/store.ts";
import { FreshCache } from "./fresh-cache.ts";
import type { Verification, VerifyRequest } from "./verification.ts";
import { KeyVerifier } from "./verify-key.ts";

const pepper = createPepper(Buffer.alloc(32, 3));
const bytes = (n: number) => Uint8Array.from({ length: n }, (_, index) => (index * 7 + seed++) % 256);
let seed = 0;

const limits = [{ name: "default", quota: 10, window: 10_000 }];
let now: number;
let errors: unknown[];
let reads: number;
let checks: number;
let store: Store;
let verifier: KeyVerifier;
let apiRevision: Revision;

async function ask(request: Partial<VerifyRequest>) {
  return (await verifier.verifyOne(question(request))).decision.reason;
}

/** Stores a key and gives its token. */
async function stored(fields: Partial<Key> = {}): Promise<{ key: Key; token: string }> {
  const token = generateToken("ord", fields.environment ?? "test", bytes).reveal();
  return { key: await keep(token, fields), token };
}

async function keep(token: string, fields: Partial<Key>): Promise<Key> {
  const key = testKey({ id: testKeyId(seed++), ...fields });
  const digest = digestToken(hashToken(token), pepper);
  const result = await store.commit(
    {
      kind: "create-key",
      key,
      token: { digest, pepperId: pepper.id, generation: 1 },
      expectedApi: apiRevision,
    },
    ENTRY,
  );
  if (!result.ok) throw new Error(result.conflict);
  return { ...key, revision: result.revision };
}

function build(wrapped: Store, environment?: string): KeyVerifier {
  return new KeyVerifier({
    cache: new FreshCache<KeyRecord>({
      store: wrapped,
      digestsOf: (hash) => [digestToken(hash, pepper)],
      compile: ({ key, generation }) => (key.owner === "tampered" ? null : compileKey(key, generation)),
      size: 100,
      unknownSize: 100,
    }),
    ...testLedgers(),
    environment: environment as Environment | undefined,
    now: () => now,
    onInternalError: (error) => errors.push(error),
  });
}

beforeEach(async () => {
  now = 1_000_000;
  errors = [];
  reads = 0;
  checks = 0;
  const memory = createMemoryStore({ now: () => now });
  store = overrideStore(memory, {
    findTokens: (digests) => {
      reads++;
      return memory.findTokens(digests);
    },
    version: () => {
      checks++;
      return memory.version();
    },
  });
  const api = testApi({ importedTokenShapes: [{ prefix: "legacy-", minLength: 20, maxLength: 40 }] });
  const result = await store.commit({ kind: "create-api", api }, ENTRY);
  if (!result.ok) throw new Error(result.conflict);
  apiRevision = result.revision;
  await store.commit(
    {
      kind: "create-api",
      api: testApi({ id: "other" as ApiId, tokenPrefix: "oth", environments: ["test" as Environment] }),
    },
    ENTRY,
  );
  verifier = build(store);
});

describe("each outcome", () => {
  const LATER = 2_000_000;
  const foreign = () => generateToken("oth", "test", bytes).reveal();
  const outcomes: readonly [Reason, () => Promise<Partial<VerifyRequest>>][] = [
    ["ALLOWED", async () => ({ token: (await stored()).token, requiredScope: "orders:read" })],
    ["MISSING_TOKEN", async () => ({})],
    ["MALFORMED_TOKEN", async () => ({ token: `${(await stored()).token}x` })],
    ["WRONG_API", async () => ({ token: foreign(), api: "orders" })],
    ["WRONG_ENVIRONMENT", async () => ({ token: (await stored()).token, environment: "live" })],
    ["UNKNOWN_TOKEN", async () => ({ token: foreign() })],
    ["REVOKED", async () => ({ token: (await stored({ state: "REVOKED" })).token })],
    ["DISABLED", async () => ({ token: (await stored({ state: "DISABLED" })).token })],
    ["EXPIRED", async () => ({ token: (await stored({ expireTime: 1_000_000 })).token })],
    ["IP_NOT_ALLOWED", async () => ({ token: (await stored({ allowedCidrs: ["192.0.2.0/24"] })).token })],
    ["INSUFFICIENT_SCOPE", async () => ({ token: (await stored()).token, requiredScope: "orders:write" })],
    [
      "RATE_LIMITED",
      async () => ({ token: (await stored({ rateLimits: limits, expireTime: LATER })).token, cost: 11 }),
    ],
  ];
  for (const [reason, request] of outcomes) {
    it(`is ${reason}, from the store and from the cache`, async () => {
      const asked = await request();
      expect(await ask(asked)).toBe(reason);
      expect(await ask(asked)).toBe(reason);
      expect(reads).toBeLessThanOrEqual(1);
      expect(errors).toEqual([]);
    });
  }
});

it("tells an end client the same of every token that is not valid", async () => {
  const tokens = [
    generateToken("ord", "test", bytes).reveal(),
    (await stored({ state: "REVOKED" })).token,
    (await stored({ state: "DISABLED" })).token,
    (await stored({ expireTime: 5 })).token,
    "not a token",
  ];
  const told = new Set<string>();
  for (const token of tokens) {
    const { message, wwwAuthenticate } = await verifier.verifyOne(question({ token, api: "orders" }));
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
    challenges.push((await verifier.verifyOne(question({ token }))).wwwAuthenticate);
  }
  expect(challenges[0]).toBe(challenges[1]);
});

describe("a group", () => {
  function group(requests: readonly Partial<VerifyRequest>[]): Promise<string[]> {
    const answers = requests.map((request) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const verification: Verification = {
        request: question(request),
        peer: "",
        isOver: () => false,
        decided: ({ decision }) => resolve(decision.reason),
        failed: (error) => resolve(error.reason),
      };
      return { verification, promise };
    });
    verifier.verify(answers.map(({ verification }) => verification));
    return Promise.all(answers.map(({ promise }) => promise));
  }

  it("makes one freshness check and one read, and answers each", async () => {
    const tokens = [
      (await stored()).token,
      (await stored({ state: "DISABLED" })).token,
      (await stored()).token,
    ];
    checks = 0;
    const requests = [...tokens, ...tokens, generateToken("ord", "test", bytes).reveal(), ""].map(
      (token) => ({ token }),
    );
    expect(await group(requests)).toEqual([
      "ALLOWED",
      "DISABLED",
      "ALLOWED",
      "ALLOWED",
      "DISABLED",
      "ALLOWED",
      "UNKNOWN_TOKEN",
      "MISSING_TOKEN",
    ]);
    expect({ checks, reads }).toEqual({ checks: 1, reads: 1 });
    await group(requests);
    expect({ checks, reads }).toEqual({ checks: 2, reads: 1 });
  });

  it("asks the store nothing about tokens that cannot be allowed, nor for a request that is wrong", async () => {
    expect(
      await group([
        { token: "" },
        { token: "c2p_live_short" },
        { token: generateToken("zzz", "test", bytes).reveal() },
        { token: generateToken("ord", "live", bytes).reveal() },
        { token: generateToken("oth", "test", bytes).reveal(), api: "orders" },
        { token: generateToken("ord", "test", bytes).reveal(), requiredScope: "(" },
      ]),
    ).toEqual([
      "MISSING_TOKEN",
      "MALFORMED_TOKEN",
      "UNKNOWN_TOKEN",
      "WRONG_ENVIRONMENT",
      "WRONG_API",
      "INVALID_SCOPE_EXPRESSION",
    ]);
    expect(reads).toBe(0);
  });

  it("charges in its order, each to all limits or to none", async () => {
    const { token } = await stored({ rateLimits: limits });
    await ask({ token, dryRun: true });
    const asked = [{ cost: 6 }, { cost: 5 }, { cost: 4 }, { cost: 1 }].map(({ cost }) => ({ token, cost }));
    expect(await group(asked)).toEqual(["ALLOWED", "RATE_LIMITED", "ALLOWED", "RATE_LIMITED"]);
  });
});

describe("limits", () => {
  it("are not charged by a dry run, nor by a denial", async () => {
    const { token } = await stored({ rateLimits: limits });
    for (let turn = 0; turn < 3; turn++) {
      expect(await ask({ token, cost: 10, dryRun: true })).toBe("ALLOWED");
      expect(await ask({ token, cost: 10, requiredScope: "orders:write" })).toBe("INSUFFICIENT_SCOPE");
    }
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
    expect(await ask({ token, cost: 1, dryRun: true })).toBe("RATE_LIMITED");
  });

  it("are not charged, and nothing is allowed, for a call that is over when it is decided", async () => {
    const { token } = await stored({ rateLimits: limits });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const over: Verification = {
      request: question({ token, cost: 10 }),
      peer: "",
      isOver: () => true,
      decided: resolve,
      failed: resolve,
    };
    verifier.verify([over]);
    expect(await promise).toMatchObject({ status: "DEADLINE_EXCEEDED" });
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
  });

  it("outlive a change of the key", async () => {
    const { token, key } = await stored({ rateLimits: limits });
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
    await store.commit(
      { kind: "update-key", key: { ...key, displayName: "new" }, expected: key.revision },
      ENTRY,
    );
    expect(await ask({ token })).toBe("RATE_LIMITED");
  });

  it("refuse a cost that is none", async () => {
    const { token } = await stored();
    for (const cost of [-1, 1.5, 1_000_001, Number.NaN]) {
      await expect(verifier.verifyOne(question({ token, cost }))).rejects.toMatchObject({
        reason: "INVALID_COST",
      });
    }
  });
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
    await expect(verifier.verifyOne(question({ token, environment: "" }))).rejects.toMatchObject({
      reason: "ENVIRONMENT_REQUIRED",
    });
    expect(await ask({ token: "legacy-fedcba9876543210", environment: "" })).toBe("UNKNOWN_TOKEN");
  });
});

it("takes the server's environment where the request names none", async () => {
  const { token } = await stored();
  verifier = build(store, "test");
  expect(await ask({ token, environment: "" })).toBe("ALLOWED");
  verifier = build(store, "live");
  expect(await ask({ token, environment: "" })).toBe("WRONG_ENVIRONMENT");
});

it("denies a revoked key on the very next call", async () => {
  const { token, key } = await stored();
  expect(await ask({ token })).toBe("ALLOWED");
  await store.commit({ kind: "update-key", key: revoke(key, now), expected: key.revision }, ENTRY);
  expect(await ask({ token })).toBe("REVOKED");
});

it("allows a new key on the very next call, even if its token was asked for before", async () => {
  const token = generateToken("ord", "test", bytes).reveal();
  expect(await ask({ token })).toBe("UNKNOWN_TOKEN");
  await keep(token, {});
  expect(await ask({ token })).toBe("ALLOWED");
});

it("treats a record that cannot be trusted as unknown, until it can be", async () => {
  const { token, key } = await stored({ owner: "tampered" });
  expect(await ask({ token })).toBe("UNKNOWN_TOKEN");
  await store.commit({ kind: "update-key", key: { ...key, owner: "acct_1" }, expected: key.revision }, ENTRY);
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
      verifier = build(
        overrideStore(store, {
          [method]: (...args: never[]) => {
            if (!broken) return (store[method] as (...args: never[]) => unknown)(...args);
            if (method === "version") throw unavailable;
            return Promise.reject(unavailable);
          },
        }),
      );
      await expect(verifier.verifyOne(question({ token }))).rejects.toBe(unavailable);
      broken = false;
      expect(await ask({ token })).toBe("ALLOWED");
    });
  }

  it("fails with INTERNAL, and says so to the log alone, on what nobody foresaw", async () => {
    const bug = new TypeError("x is not a function");
    verifier = build(
      overrideStore(store, {
        version: () => {
          throw bug;
        },
      }),
    );
    await expect(verifier.verifyOne(question({ token: "t" }))).rejects.toMatchObject({
      status: "INTERNAL",
      message: "internal error",
    });
    expect(errors).toEqual([bug]);
  });
});
