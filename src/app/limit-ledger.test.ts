import fc from "fast-check";
import { expect, it } from "vitest";
import type { KeyId } from "../domain/key.ts";
import { assessRateLimits, type LimitUsage, MAX_WINDOW, type RateLimit } from "../domain/rate-limit.ts";
import { LimitLedger, ledgerIdOf } from "./limit-ledger.ts";
import { createLedgerMemory } from "./limit-ledger-memory.ts";
import type { LedgerId } from "./limit-ledger-shard.ts";

const idOf = (number: number): LedgerId => [7, 0, 0, number];

function ledgerOf(entries: number, whenFull: "refuse" | "forget" = "refuse", shards = 1): LimitLedger {
  return new LimitLedger({ memory: createLedgerMemory({ entries, limits: 8, shards }), owner: 1, whenFull });
}

function spend(
  ledger: LimitLedger,
  id: LedgerId,
  { limits, cost, now }: { limits: readonly RateLimit[]; cost: number; now: number },
) {
  return ledger.use(id, limits, now, (usage) => assessRateLimits(limits, usage, cost, now));
}

const limit = (quota: number, window = 60_000, name = "default"): RateLimit => ({ name, quota, window });

const anyLimit = fc.record({
  name: fc.constantFrom("default", "burst", "month", "w"),
  quota: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(1_000_000)),
  window: fc.oneof(fc.integer({ min: 1_000, max: 10_000 }), fc.constant(MAX_WINDOW)),
});
const anyLimits = fc.uniqueArray(anyLimit, { selector: ({ name }) => name, minLength: 1, maxLength: 4 });
const calls = fc.array(
  fc.record({
    key: fc.nat({ max: 5 }),
    limits: fc.option(anyLimits, { nil: undefined }),
    cost: fc.nat({ max: 6 }),
    passed: fc.oneof(fc.nat({ max: 300 }), fc.constant(20_000)),
  }),
  { minLength: 1, maxLength: 60 },
);

it("answers as plain usages in a map would, whatever is spent, and however limits are changed", () => {
  fc.assert(
    fc.property(calls, (calls) => {
      const ledger = ledgerOf(16, "refuse", 2);
      const plain = new Map<number, LimitUsage>();
      const limitsOf = new Map<number, readonly RateLimit[]>();
      let now = 1_700_000_000_000;
      for (const { key, cost, passed, limits = limitsOf.get(key) ?? [limit(5)] } of calls) {
        now += passed;
        limitsOf.set(key, limits);
        const { charged, ...expected } = assessRateLimits(limits, plain.get(key), cost, now);
        if (charged !== undefined) plain.set(key, charged);
        expect(spend(ledger, idOf(key), { limits, cost, now })).toMatchObject(expected);
      }
    }),
    { numRuns: 500 },
  );
});

it("takes over no more than what the call was charged: a look costs nothing", () => {
  const ledger = ledgerOf(8);
  const look = () => ledger.use(idOf(1), [limit(3)], 0, (usage) => ({ usage, charged: undefined })).usage;
  expect(look()).toBeUndefined();
  spend(ledger, idOf(1), { limits: [limit(3)], cost: 1, now: 0 });
  expect(look()).toMatchObject({ debts: [60_000] });
  expect(look()).toMatchObject({ debts: [60_000] });
  expect(ledger.size).toBe(1);
});

it("charges nothing when the decision fails, and is free again at once", () => {
  const ledger = ledgerOf(8);
  const fails = () =>
    ledger.use(idOf(1), [limit(3)], 0, () => {
      throw new Error("a bug");
    });
  expect(fails).toThrow("a bug");
  expect(spend(ledger, idOf(1), { limits: [limit(3)], cost: 3, now: 0 }).allowed).toBe(true);
});

it("never forgets a usage that is not idle, and uses the room of those that are again", () => {
  const ledger = ledgerOf(2_048, "refuse", 2);
  const long = { limits: [limit(2, MAX_WINDOW)], cost: 2 };
  for (let number = 0; number < 500; number++) spend(ledger, idOf(number), { ...long, now: 0 });
  for (let number = 500; number < 100_000; number++) {
    spend(ledger, idOf(number), { limits: [limit(1_000, 1_000)], cost: 1, now: number });
  }
  for (let number = 0; number < 500; number++) {
    expect(spend(ledger, idOf(number), { ...long, cost: 1, now: 100_000 }).allowed).toBe(false);
  }
});

it("refuses who has no entry yet when it is full, and goes on with all others", () => {
  const ledger = ledgerOf(4);
  const call = { limits: [limit(2)], cost: 1, now: 0 };
  for (let number = 0; number < 4; number++) expect(spend(ledger, idOf(number), call).allowed).toBe(true);
  expect(() => spend(ledger, idOf(4), call)).toThrow(expect.objectContaining({ reason: "LIMITS_FULL" }));
  expect(spend(ledger, idOf(3), call).allowed).toBe(true);
  expect(spend(ledger, idOf(3), call).allowed).toBe(false);
  // The first four are whole again after a minute at most.
  expect(spend(ledger, idOf(4), { ...call, now: 60_000 }).allowed).toBe(true);
});

it("can forget others instead when it is full", () => {
  const ledger = ledgerOf(16, "forget");
  const call = { limits: [limit(1)], cost: 1, now: 0 };
  for (let number = 0; number < 1_000; number++) expect(spend(ledger, idOf(number), call).allowed).toBe(true);
  expect(ledger.size).toBeLessThanOrEqual(16);
  expect(spend(ledger, idOf(999), call).allowed).toBe(false);
});

it("has no room for more limits than a key may have", () => {
  const limits = Array.from({ length: 9 }, (_, index) => limit(1, 1_000, `l${index}`));
  expect(() => spend(ledgerOf(4), idOf(1), { limits, cost: 1, now: 0 })).toThrow(RangeError);
});

it("takes all of a key's id, and nothing that is no UUID", () => {
  const words = ledgerIdOf("0193b0a8-1234-7567-89ab-cdef01234567" as KeyId);
  expect(words.map((word) => (word >>> 0).toString(16))).toEqual([
    "193b0a8",
    "12347567",
    "89abcdef",
    "1234567",
  ]);
  expect(() => ledgerIdOf("key-1" as KeyId)).toThrow(RangeError);
});
