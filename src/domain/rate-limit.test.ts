import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assessRateLimits, type LimitUsage, MAX_QUOTA, MAX_WINDOW, type RateLimit } from "./rate-limit.ts";

const START = 1_800_000_000_000;
const limitOf = (quota: number, window: number, name = "default"): RateLimit => ({ name, quota, window });

/** One key, charged as the caller of `assessRateLimits` would do it. */
function ledger(limits: readonly RateLimit[]) {
  let usage: LimitUsage | undefined;
  return {
    usage: () => usage,
    spend(cost: number, now: number, of: readonly RateLimit[] = limits) {
      const assessment = assessRateLimits(of, usage, cost, now);
      usage = assessment.charged ?? usage;
      return assessment;
    },
  };
}

/** GCRA as virtual scheduling (ITU-T I.371), in unbounded integers: instants are multiplied by the quota. */
function virtualScheduling(limits: readonly RateLimit[]) {
  const arrivals = limits.map(() => 0n);
  let latest = 0;
  return (cost: number, now: number) => {
    // Time stands still for a clock that went back behind the last charge.
    const time = Math.max(latest, now);
    const ahead = limits.map(({ quota }, i) => {
      const behind = arrivals[i]! - BigInt(time) * BigInt(quota);
      return behind > 0n ? behind : 0n;
    });
    const price = limits.map(({ window }) => BigInt(cost) * BigInt(window));
    const room = limits.map(({ quota, window }, i) => BigInt(quota) * BigInt(window) - ahead[i]!);
    const waits = limits.map(({ quota }, i) => (cost > quota ? Infinity : up(price[i]! - room[i]!, quota)));
    const allowed = waits.every((wait) => wait === 0);
    const debts = ahead.map((debt, i) => (allowed ? debt + price[i]! : debt));
    if (allowed && cost > 0) {
      latest = time;
      for (const [i, { quota }] of limits.entries()) arrivals[i] = BigInt(time) * BigInt(quota) + debts[i]!;
    }
    return { waits, assessmentOf };

    /** What is to be answered if this limit binds most. */
    function assessmentOf(index: number) {
      const limit = limits[index]!;
      const isWorthWaiting = !allowed && waits[index] !== Infinity;
      const whole = up(debts[index]!, limit.quota);
      const resetAfter = time - now + (isWorthWaiting ? waits[index]! : whole);
      const remaining = Number((BigInt(limit.quota * limit.window) - debts[index]!) / BigInt(limit.window));
      const retryAfter = allowed ? 0 : Math.max(1, Math.ceil(resetAfter / 1000));
      return { allowed, status: { limit, remaining, resetAfter }, retryAfter };
    }
  };
}

/** Divides and rounds up; 0 for what is negative. */
function up(value: bigint, by: number): number {
  return value <= 0n ? 0 : Number((value + BigInt(by) - 1n) / BigInt(by));
}

/** By how much the fullest stretch of time has more in it than the quota and what refilled; negative: less. */
function greatestExcess(
  { quota, window }: RateLimit,
  spent: readonly { readonly at: number; readonly cost: number }[],
): number {
  const excesses = spent.flatMap(({ at: from }, first) => {
    let sum = 0;
    return spent.slice(first).map(({ at, cost }) => {
      sum += cost;
      return sum - (quota * (window + at - from)) / window;
    });
  });
  return Math.max(-1, ...excesses);
}

/** What a key has that spent so much of its limits, and then got others. */
function spendThen(before: readonly RateLimit[], cost: number, after: readonly RateLimit[], passed = 0) {
  const key = ledger(before);
  key.spend(cost, START);
  return key.spend(0, START + passed, after).status;
}

const anyLimit = fc.record({
  quota: fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: MAX_QUOTA }),
    fc.constant(MAX_QUOTA),
  ),
  window: fc.oneof(
    fc.integer({ min: 1000, max: 5000 }),
    fc.integer({ min: 1000, max: MAX_WINDOW }),
    fc.constant(MAX_WINDOW),
  ),
});
const anyLimits = fc
  .array(anyLimit, { minLength: 1, maxLength: 4 })
  .map((limits) => limits.map((limit, i) => ({ ...limit, name: `l${i}` })));
/** Time passed, sometimes none, sometimes backwards, and a cost in thousandths of the least quota. */
const anyCalls = fc.array(
  fc.record({
    passed: fc.oneof(fc.integer({ min: 0, max: 700 }), fc.integer({ min: -5000, max: MAX_WINDOW })),
    share: fc.integer({ min: 0, max: 1100 }),
  }),
  { maxLength: 40 },
);

describe("a rate limit", () => {
  test("lets the quota through at once, and one unit more when one has refilled", () => {
    const key = ledger([limitOf(3, 3000)]);
    for (const remaining of [2, 1, 0]) {
      expect(key.spend(1, START)).toMatchObject({ allowed: true, status: { remaining }, retryAfter: 0 });
    }
    expect(key.spend(1, START)).toEqual({
      allowed: false,
      status: { limit: limitOf(3, 3000), remaining: 0, resetAfter: 1000 },
      retryAfter: 1,
      charged: undefined,
    });
    expect(key.spend(1, START + 999)).toMatchObject({
      allowed: false,
      status: { resetAfter: 1 },
      retryAfter: 1,
    });
    expect(key.spend(1, START + 1000)).toMatchObject({
      allowed: true,
      status: { remaining: 0, resetAfter: 3000 },
    });
  });

  test("has no burst at a window's edge", () => {
    const key = ledger([limitOf(10, 10_000)]);
    expect(key.spend(10, START + 9_999).allowed).toBe(true);
    expect(key.spend(2, START + 10_001).allowed).toBe(false);
  });

  test("rounds the time to wait up, to milliseconds and to seconds, so that nobody comes back too early", () => {
    const key = ledger([limitOf(7, 10_000)]);
    key.spend(7, START);
    const denied = key.spend(1, START);
    expect(denied).toMatchObject({ status: { resetAfter: 1429 }, retryAfter: 2 });
    expect(key.spend(1, START + 1428).allowed).toBe(false);
    expect(key.spend(1, START + 1429).allowed).toBe(true);
  });

  test("never lets a cost through that exceeds the quota, and says when the quota is whole", () => {
    const key = ledger([limitOf(5, 10_000)]);
    expect(key.spend(6, START)).toMatchObject({
      allowed: false,
      status: { remaining: 5, resetAfter: 0 },
      retryAfter: 1,
    });
    key.spend(5, START);
    expect(key.spend(6, START)).toMatchObject({
      allowed: false,
      status: { resetAfter: 10_000 },
      retryAfter: 10,
    });
    expect(key.spend(1_000_000, START).allowed).toBe(false);
  });

  test("lets what costs nothing through, even when spent, and charges nothing for it", () => {
    const key = ledger([limitOf(1, 1000)]);
    key.spend(1, START);
    expect(key.spend(0, START)).toMatchObject({ allowed: true, status: { remaining: 0, resetAfter: 1000 } });
    expect(key.spend(0, START).charged).toBeUndefined();
  });

  test("takes nothing away when the clock goes back, and says how long it will be until the quota is whole", () => {
    const key = ledger([limitOf(2, 2000)]);
    key.spend(2, START);
    expect(key.spend(1, START - 500)).toMatchObject({ allowed: false, status: { resetAfter: 1500 } });
    expect(key.spend(1, START + 999).allowed).toBe(false);
    expect(key.spend(1, START + 1000).allowed).toBe(true);
    expect(key.spend(0, START + 500)).toMatchObject({ allowed: true, status: { resetAfter: 2500 } });
  });

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("takes no cost of %j", (cost) => {
    expect(() => assessRateLimits([limitOf(1, 1000)], undefined, cost, START)).toThrow(
      new RangeError(`a cost is a whole number, not ${cost}`),
    );
  });
});

describe("several rate limits", () => {
  const limits = [limitOf(10, 1000, "second"), limitOf(15, 60_000, "minute")];

  test("are charged all or none", () => {
    const key = ledger(limits);
    key.spend(10, START);
    const before = key.usage();
    expect(key.spend(6, START + 1000)).toMatchObject({
      allowed: false,
      status: { limit: { name: "minute" } },
    });
    expect(key.usage()).toBe(before);
    expect(key.spend(5, START + 1000).allowed).toBe(true);
  });

  test("report the one with the least share left", () => {
    const key = ledger(limits);
    expect(key.spend(1, START).status).toMatchObject({ limit: { name: "second" }, remaining: 9 });
    expect(key.spend(1, START + 1000).status).toMatchObject({ limit: { name: "minute" }, remaining: 13 });
  });

  test("report, of equals, the first", () => {
    const equal = [limitOf(5, 1000, "a"), limitOf(5, 1000, "b")];
    const key = ledger(equal);
    expect(key.spend(5, START).status?.limit.name).toBe("a");
    expect(key.spend(1, START).status?.limit.name).toBe("a");
  });

  test("report the longest wait when denied, and first of all what never fits", () => {
    const key = ledger([limitOf(5, 1000, "short"), limitOf(5, 9000, "long"), limitOf(4, 1000, "small")]);
    key.spend(4, START);
    expect(key.spend(4, START).status).toMatchObject({ limit: { name: "long" }, resetAfter: 5400 });
    expect(key.spend(5, START).status).toMatchObject({ limit: { name: "small" }, resetAfter: 1000 });
  });

  test("that are none allow everything and keep nothing", () => {
    expect(assessRateLimits([], undefined, 1_000_000, START)).toEqual({
      allowed: true,
      status: undefined,
      retryAfter: 0,
      charged: undefined,
    });
  });

  test("agree exactly with virtual scheduling in unbounded integers", () => {
    fc.assert(
      fc.property(anyLimits, anyCalls, (some, calls) => {
        const key = ledger(some);
        const naive = virtualScheduling(some);
        const least = Math.min(...some.map(({ quota }) => quota));
        let now = START;
        for (const { passed, share } of calls) {
          now += passed;
          const cost = Math.floor((least * share) / 1000);
          const expected = naive(cost, now);
          const actual = key.spend(cost, now);
          const at = some.indexOf(actual.status!.limit);
          expect(actual).toMatchObject(expected.assessmentOf(at));
          expect(expected.waits[at]).toBe(Math.max(...expected.waits));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("never give more in any stretch of time than the quota and what refilled in it", () => {
    fc.assert(
      fc.property(anyLimits, anyCalls, (some, calls) => {
        const key = ledger(some);
        const spent: { readonly at: number; readonly cost: number }[] = [];
        let now = START;
        for (const { passed, share } of calls) {
          now += passed;
          const cost = Math.floor((some[0]!.quota * share) / 1000);
          if (key.spend(cost, now).charged !== undefined) spent.push({ at: key.usage()!.time, cost });
        }
        for (const limit of some)
          expect(greatestExcess(limit, spent)).toBeLessThanOrEqual(1e-9 * limit.quota);
      }),
      { numRuns: 300 },
    );
  });
});

describe("usage", () => {
  test("may be dropped once it is idle, and not a millisecond before", () => {
    fc.assert(
      fc.property(anyLimits, anyCalls, (some, calls) => {
        const key = ledger(some);
        let now = START;
        for (const { passed, share } of calls) {
          now += passed;
          key.spend(Math.floor((some[0]!.quota * share) / 1000), now);
        }
        const usage = key.usage();
        fc.pre(usage !== undefined);
        const { idleAt } = usage!;
        expect(assessRateLimits(some, usage, 1, idleAt)).toEqual(
          assessRateLimits(some, undefined, 1, idleAt),
        );
        const almost = some.map(
          (limit) => assessRateLimits([limit], usage, 0, idleAt - 1).status!.resetAfter,
        );
        expect(Math.max(...almost)).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("is not changed by an assessment", () => {
    const limits = [limitOf(3, 3000)];
    const { charged } = assessRateLimits(limits, undefined, 1, START);
    const before = structuredClone(charged);
    assessRateLimits(limits, charged, 1, START + 10);
    expect(charged).toEqual(before);
    expect(charged).toEqual({ limits, debts: [3000], time: START, idleAt: START + 1000 });
  });

  describe("outlives a change of the key's limits", () => {
    test("the same limits read anew", () => {
      expect(spendThen([limitOf(9, 9000)], 4, [limitOf(9, 9000)])).toMatchObject({
        remaining: 5,
        resetAfter: 4000,
      });
      expect(spendThen([limitOf(9, 9000)], 4, [limitOf(9, 9000)], 500)).toMatchObject({ resetAfter: 3500 });
    });

    test("a greater quota: what was spent stays spent", () => {
      expect(spendThen([limitOf(10, 10_000)], 10, [limitOf(100, 10_000)])?.remaining).toBe(90);
    });

    test("a smaller quota: at most all of it is spent", () => {
      expect(spendThen([limitOf(100, 10_000)], 50, [limitOf(10, 10_000)])).toMatchObject({
        remaining: 0,
        resetAfter: 10_000,
      });
    });

    test("another window: the units spent stay spent, begun ones as whole ones", () => {
      expect(spendThen([limitOf(10, 10_000)], 4, [limitOf(10, 60_000)])).toMatchObject({
        remaining: 6,
        resetAfter: 24_000,
      });
      expect(spendThen([limitOf(10, 10_000)], 4, [limitOf(10, 60_000)], 500)?.remaining).toBe(6);
      expect(spendThen([limitOf(10, 10_000)], 4, [limitOf(3, 1000)])).toMatchObject({
        remaining: 0,
        resetAfter: 1000,
      });
    });

    test("another name: a limit of its own, whole", () => {
      expect(spendThen([limitOf(10, 10_000)], 4, [limitOf(10, 10_000, "other")])?.remaining).toBe(10);
    });

    test("another order", () => {
      const a = limitOf(10, 10_000, "a");
      const b = limitOf(20, 10_000, "b");
      const key = ledger([a, b]);
      key.spend(9, START);
      expect(key.spend(0, START, [b, a]).status).toMatchObject({ limit: { name: "a" }, remaining: 1 });
      expect(key.spend(1, START, [b]).status).toMatchObject({ limit: { name: "b" }, remaining: 10 });
    });

    test("and never leaves more than a fresh limit has, nor less than nothing", () => {
      fc.assert(
        fc.property(anyLimit, anyLimit, fc.nat(1000), fc.nat(MAX_WINDOW), (one, two, share, passed) => {
          const before = { ...one, name: "x" };
          const after = { ...two, name: "x" };
          const status = spendThen([before], Math.floor((before.quota * share) / 1000), [after], passed)!;
          expect(status.remaining).toBeGreaterThanOrEqual(0);
          expect(status.remaining).toBeLessThanOrEqual(after.quota);
          expect(status.resetAfter).toBeLessThanOrEqual(after.window);
        }),
      );
    });
  });
});
