import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ApiId, Environment } from "./api.ts";
import { type DecisionRequest, decide, RULES } from "./decision.ts";
import { compileKey, type Key, type KeyId } from "./key.ts";
import { assessRateLimits } from "./rate-limit.ts";
import { REASONS, type Reason } from "./reason.ts";
import type { Revision } from "./revision.ts";
import { parseScopeExpression } from "./scope-expression.ts";

const NOW = 1_800_000_000_000;
const C2P = "c2p" as ApiId;
const OTHER = "other" as ApiId;
const TEST = "test" as Environment;
const LIVE = "live" as Environment;

const key: Key = {
  id: "0190d3a0-0000-7000-8000-000000000001" as KeyId,
  api: C2P,
  environment: TEST,
  owner: "acct_42",
  displayName: "CI",
  scopes: ["orders:read", "files:*"],
  allowedCidrs: ["203.0.113.0/24", "2001:db8::/32"],
  rateLimits: [{ name: "default", quota: 100, window: 60_000 }],
  metadata: {},
  binding: null,
  state: "ACTIVE",
  expireTime: NOW + 1000,
  generation: 1,
  hint: "c2p_test_…1111",
  previousToken: null,
  createTime: NOW - 1000,
  updateTime: NOW - 1000,
  revokeTime: null,
  revision: 1 as Revision,
};
const requestWith = (changes: Partial<DecisionRequest> = {}): DecisionRequest => ({
  token: { kind: "native", api: C2P, environment: "test" },
  serving: { api: C2P, environment: TEST },
  requiredScope: parseScopeExpression("orders:read"),
  clientIp: "203.0.113.7",
  cost: 1,
  usage: undefined,
  ...changes,
});
/** The usage of a key that has just spent all it had. */
const spentAt = (now: number) => assessRateLimits(key.rateLimits, undefined, 100, now).charged;

function reasonOf(changes: {
  key?: Partial<Key> | null;
  request?: Partial<DecisionRequest>;
  now?: number;
}): Reason {
  const record = changes.key === null ? undefined : compileKey({ ...key, ...changes.key }, 1);
  return decide(record, requestWith(changes.request), changes.now ?? NOW).reason;
}

const wanting = (text: string) => reasonOf({ request: { requiredScope: parseScopeExpression(text) } });

describe("a decision", () => {
  test("allows what passes every check, and says what to charge", () => {
    const record = compileKey(key, 1);
    const decision = decide(record, requestWith(), NOW);
    expect(decision).toEqual({
      allowed: true,
      reason: "ALLOWED",
      record,
      rateLimit: { limit: key.rateLimits[0], remaining: 99, resetAfter: 600 },
      retryAfter: 0,
      charged: { limits: key.rateLimits, debts: [60_000], time: NOW, idleAt: NOW + 600 },
      decideTime: NOW,
    });
    expect(decision.record).toBe(record);
  });

  test("denies over the limit, says how long to wait, and charges nothing", () => {
    expect(decide(compileKey(key, 1), requestWith({ usage: spentAt(NOW) }), NOW)).toMatchObject({
      allowed: false,
      reason: "RATE_LIMITED",
      rateLimit: { remaining: 0, resetAfter: 600 },
      retryAfter: 1,
      charged: undefined,
    });
  });

  test("denied by another check says nothing of limits, and charges nothing", () => {
    const record = compileKey({ ...key, state: "REVOKED" }, 1);
    for (const usage of [undefined, spentAt(NOW)]) {
      expect(decide(record, requestWith({ usage }), NOW)).toEqual({
        allowed: false,
        reason: "REVOKED",
        record,
        rateLimit: undefined,
        retryAfter: 0,
        charged: undefined,
        decideTime: NOW,
      });
    }
  });

  test("of a key without limits neither reports nor charges any", () => {
    expect(decide(compileKey({ ...key, rateLimits: [] }, 1), requestWith(), NOW)).toMatchObject({
      allowed: true,
      rateLimit: undefined,
      charged: undefined,
    });
  });

  test("without a record denies", () => {
    expect(decide(undefined, requestWith(), NOW)).toEqual({
      allowed: false,
      reason: "UNKNOWN_TOKEN",
      record: undefined,
      rateLimit: undefined,
      retryAfter: 0,
      charged: undefined,
      decideTime: NOW,
    });
  });
});

/** What makes each check fail, and no other but later ones. */
const failuresByReason = (): Readonly<
  Record<Exclude<Reason, "ALLOWED">, Parameters<typeof reasonOf>[0]>
> => ({
  MISSING_TOKEN: { request: { token: { kind: "missing" } } },
  MALFORMED_TOKEN: { request: { token: { kind: "malformed" } } },
  WRONG_API: { request: { serving: { api: OTHER, environment: TEST } } },
  WRONG_ENVIRONMENT: { request: { serving: { api: C2P, environment: LIVE } } },
  UNKNOWN_TOKEN: { key: null },
  REVOKED: { key: { state: "REVOKED" } },
  DISABLED: { key: { state: "DISABLED" } },
  EXPIRED: { now: NOW + 1000 },
  IP_NOT_ALLOWED: { request: { clientIp: "198.51.100.1" } },
  INSUFFICIENT_SCOPE: { request: { requiredScope: parseScopeExpression("orders:write") } },
  RATE_LIMITED: {
    request: { usage: spentAt(NOW + 1000) },
  },
});

describe("the table of rules", () => {
  test("has one rule for each denial, in the documented order", () => {
    expect(RULES.map(({ reason }) => reason)).toEqual(
      Object.keys(REASONS).filter((reason) => reason !== "ALLOWED"),
    );
  });

  test("gives the reason of the first that fails, for any combination of failures", () => {
    const failures = failuresByReason();
    const names = Object.keys(failures) as (keyof typeof failures)[];
    fc.assert(
      fc.property(fc.subarray(names), (failing) => {
        // The earlier win where two say the same thing, such as MISSING_TOKEN and MALFORMED_TOKEN of the token.
        const changes = failing.toReversed().map((name) => failures[name]);
        const serving = {
          api: failing.includes("WRONG_API") ? OTHER : C2P,
          environment: failing.includes("WRONG_ENVIRONMENT") ? LIVE : TEST,
        };
        const combined = {
          key: changes.some((change) => change.key === null)
            ? null
            : Object.assign({}, ...changes.map((change) => change.key)),
          request: Object.assign({}, ...changes.map((change) => change.request), { serving }),
          now: Math.max(NOW, ...changes.map((change) => change.now ?? 0)),
        };
        expect(reasonOf(combined)).toBe(failing[0] ?? "ALLOWED");
      }),
      { numRuns: 2048 },
    );
  });

  test("denies in every rule about the key when there is none", () => {
    const passing = RULES.filter(
      (rule) => !rule.denies({ record: undefined, request: requestWith(), now: NOW, limits: undefined }),
    );
    expect(passing.map(({ reason }) => reason)).toEqual([
      "MISSING_TOKEN",
      "MALFORMED_TOKEN",
      "WRONG_API",
      "WRONG_ENVIRONMENT",
    ]);
  });
});

describe("which API a token belongs to", () => {
  test("does not matter to a caller that serves whichever", () => {
    expect(reasonOf({ request: { serving: { api: undefined, environment: TEST } } })).toBe("ALLOWED");
  });

  test("is unknown for a prefix that no API has: another than the one served, if one is", () => {
    const token = { kind: "native", api: undefined, environment: "test" } as const;
    expect(reasonOf({ key: null, request: { token } })).toBe("WRONG_API");
    const serving = { api: undefined, environment: LIVE };
    expect(reasonOf({ key: null, request: { token, serving } })).toBe("UNKNOWN_TOKEN");
    expect(reasonOf({ request: { token, serving } })).toBe("UNKNOWN_TOKEN");
  });

  test("is the record's for an imported token", () => {
    const token = { kind: "imported" } as const;
    expect(reasonOf({ request: { token } })).toBe("ALLOWED");
    expect(reasonOf({ request: { token, serving: { api: OTHER, environment: TEST } } })).toBe("WRONG_API");
    expect(reasonOf({ request: { token, serving: { api: C2P, environment: LIVE } } })).toBe(
      "WRONG_ENVIRONMENT",
    );
    expect(reasonOf({ request: { token, serving: { api: undefined, environment: "*" } } })).toBe("ALLOWED");
    expect(reasonOf({ key: null, request: { token, serving: { api: OTHER, environment: LIVE } } })).toBe(
      "UNKNOWN_TOKEN",
    );
  });

  test("must agree with the record that was found", () => {
    const serving = { api: undefined, environment: "*" } as const;
    expect(reasonOf({ request: { serving } })).toBe("ALLOWED");
    expect(reasonOf({ key: { api: OTHER }, request: { serving } })).toBe("UNKNOWN_TOKEN");
    expect(reasonOf({ key: { environment: LIVE }, request: { serving } })).toBe("UNKNOWN_TOKEN");
  });
});

describe("the environment served", () => {
  test("may be all of them, kept apart by the caller", () => {
    expect(reasonOf({ request: { serving: { api: C2P, environment: "*" } } })).toBe("ALLOWED");
  });

  test("is never guessed: if it could not be told, no token fits", () => {
    const serving = { api: C2P, environment: undefined };
    expect(reasonOf({ request: { serving } })).toBe("WRONG_ENVIRONMENT");
    expect(reasonOf({ request: { serving, token: { kind: "imported" } } })).toBe("WRONG_ENVIRONMENT");
  });
});

describe("time", () => {
  test.each([
    [NOW + 999, "ALLOWED"],
    [NOW + 1000, "EXPIRED"],
    [NOW + 1001, "EXPIRED"],
    [Number.NaN, "EXPIRED"],
  ])("of a key that expires at …1000, at %i: %s", (now, reason) => expect(reasonOf({ now })).toBe(reason));

  test("never ends a key without an expire time", () => {
    expect(reasonOf({ key: { expireTime: null }, now: 253_402_300_799_999 })).toBe("ALLOWED");
  });

  test("ends a token that was rotated out when its grace is over", () => {
    const rotated = { ...key, generation: 2, previousToken: { hint: "", expireTime: NOW + 10 } };
    const reasonAt = (generation: number, now: number) =>
      decide(compileKey(rotated, generation), requestWith(), now).reason;
    expect(reasonAt(1, NOW + 9)).toBe("ALLOWED");
    expect(reasonAt(1, NOW + 10)).toBe("EXPIRED");
    expect(reasonAt(2, NOW + 10)).toBe("ALLOWED");
    expect(reasonAt(3, NOW)).toBe("EXPIRED");
    expect(reasonAt(0, NOW)).toBe("EXPIRED");
  });
});

describe("the client's IP", () => {
  test.each([
    ["203.0.113.255", "ALLOWED"],
    ["::ffff:203.0.113.7", "ALLOWED"],
    ["2001:db8::1", "ALLOWED"],
    ["203.0.114.0", "IP_NOT_ALLOWED"],
    ["2001:db9::1", "IP_NOT_ALLOWED"],
    ["", "IP_NOT_ALLOWED"],
    ["203.0.113.7:443", "IP_NOT_ALLOWED"],
    ["203.0.113.07", "IP_NOT_ALLOWED"],
    ["2001:db8::1%eth0", "IP_NOT_ALLOWED"],
  ])("%j of a key for two networks: %s", (clientIp, reason) => {
    expect(reasonOf({ request: { clientIp } })).toBe(reason);
  });

  test("does not matter for a key without networks", () => {
    expect(reasonOf({ key: { allowedCidrs: [] }, request: { clientIp: "" } })).toBe("ALLOWED");
  });
});

describe("what is required", () => {
  test("is nothing more than a valid key, if the expression is empty", () => {
    const requiredScope = parseScopeExpression("");
    expect(reasonOf({ key: { scopes: [] }, request: { requiredScope } })).toBe("ALLOWED");
    expect(reasonOf({ key: { scopes: [], state: "DISABLED" }, request: { requiredScope } })).toBe("DISABLED");
  });

  test("must be covered by the grants", () => {
    expect(wanting("orders:read files:write")).toBe("ALLOWED");
    expect(wanting("orders:write OR files:write")).toBe("ALLOWED");
    expect(wanting("orders:read AND orders:write")).toBe("INSUFFICIENT_SCOPE");
  });
});
