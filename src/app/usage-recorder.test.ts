import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { overrideStore } from "../../test/support/override-store.ts";
import { testKey, testKeyId } from "../../test/support/records.ts";
import { createMemoryStore } from "../adapters/memory/memory-store.ts";
import { HOUR, type UsageBatch, type UsageCount } from "../domain/usage.ts";
import type { UsageWrites } from "../ports/store.ts";
import { UsageRecorder } from "./usage-recorder.ts";

const INTERVAL = 10_000;
const NOW = 500_000 * HOUR;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function allowed(number: number, count: number, hour = 500_000): UsageCount {
  const { id, api, environment } = testKey({ id: testKeyId(number) });
  return { key: { id, api, environment }, hour, reason: "ALLOWED", count };
}

function batchOf(...counts: UsageCount[]): UsageBatch {
  const lastUses = counts.flatMap(({ key, hour }) =>
    key === null ? [] : [{ keyId: key.id, generation: 1, time: hour * HOUR, clientIp: "203.0.113.7" }],
  );
  return { counts, lastUses };
}

/** A recorder to a store in memory that fails as often as it is told to, and what was reported. */
function recorderWith(options: { mostWaiting?: number; retention?: number } = {}) {
  const store = createMemoryStore();
  const reports: string[] = [];
  const sizes: number[] = [];
  let failures = 0;
  const failing: UsageWrites = overrideStore(store as UsageWrites, {
    async recordUsage(batch) {
      sizes.push(batch.counts.length + batch.lastUses.length);
      if (failures > 0) {
        failures--;
        throw new Error("the disk is full");
      }
      await store.recordUsage(batch);
    },
  });
  const recorder = new UsageRecorder({
    store: failing,
    interval: INTERVAL,
    retention: options.retention ?? 400 * 24 * HOUR,
    now: () => NOW,
    onFlush: (outcome) => reports.push(outcome),
    onProblem: () => reports.push("problem"),
    onLoss: () => reports.push("loss"),
    ...(options.mostWaiting === undefined ? {} : { mostWaiting: options.mostWaiting }),
  });
  return {
    store,
    recorder,
    reports,
    sizes,
    fail: (times: number) => {
      failures = times;
    },
    total: async () => {
      const sums = await store.usage({ kind: "all" }, 0, 1_000_000, 1);
      return sums.reduce((sum, { count }) => sum + count, 0);
    },
  };
}

it("writes every count once, whatever fails in between", async () => {
  const step = fc.oneof(
    fc.record({ key: fc.integer({ min: 1, max: 5 }), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ failures: fc.integer({ min: 1, max: 3 }) }),
    fc.constant("tick" as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { recorder, fail, total } = recorderWith();
      let counted = 0;
      for (const one of steps) {
        if (one === "tick") await vi.advanceTimersByTimeAsync(INTERVAL);
        else if ("failures" in one) fail(one.failures);
        else {
          counted += one.count;
          recorder.add(batchOf(allowed(one.key, one.count)));
        }
      }
      fail(0);
      await recorder.close();
      expect(await total()).toBe(counted);
    }),
  );
});

it("tries what failed again when it is time, not before, and says so once", async () => {
  const { recorder, reports, fail, total } = recorderWith();
  fail(2);
  recorder.add(batchOf(allowed(1, 3)));
  await vi.advanceTimersByTimeAsync(0);
  recorder.add(batchOf(allowed(2, 4)));
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect(await total()).toBe(0);
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect(await total()).toBe(7);
  expect(reports).toEqual(["failed", "problem", "failed", "ok"]);
  await recorder.close();
});

it("writes at most 500 rows at once, and rows of one key together", async () => {
  const { recorder, sizes, fail, total } = recorderWith();
  fail(1);
  recorder.add(batchOf(allowed(0, 1)));
  await vi.advanceTimersByTimeAsync(0);
  for (let number = 0; number < 2_000; number++) recorder.add(batchOf(allowed(number % 1_500, 1)));
  await recorder.close();
  expect(sizes).toEqual([2, 500, 500, 500, 500, 500, 500]);
  expect(await total()).toBe(2_001);
});

it("keeps no more than so much waiting, and says that it loses the rest", async () => {
  const { recorder, reports, fail, total } = recorderWith({ mostWaiting: 4 });
  fail(1);
  recorder.add(batchOf(allowed(1, 1)));
  await vi.advanceTimersByTimeAsync(0);
  for (const number of [2, 3, 4]) recorder.add(batchOf(allowed(number, 1)));
  // There is room for what belongs to a row that waits already.
  recorder.add(batchOf(allowed(1, 5)));
  expect(reports).toEqual(["failed", "problem", "loss"]);
  await recorder.close();
  expect(await total()).toBe(7);
});

it("keeps an address in its one form, and none that is no address", async () => {
  const { recorder, store } = recorderWith();
  const use = { keyId: testKeyId(1), generation: 1, time: 1 };
  recorder.add({ counts: [], lastUses: [{ ...use, clientIp: "::ffff:203.0.113.7" }] });
  recorder.add({ counts: [], lastUses: [{ ...use, keyId: testKeyId(2), clientIp: "<b>" }] });
  await recorder.close();
  const uses = await store.lastUses([testKeyId(1), testKeyId(2)]);
  expect(uses.map(({ clientIp }) => clientIp).toSorted()).toEqual(["", "203.0.113.7"]);
});

it("deletes what is older than it is kept, to the day's end, and nothing else", async () => {
  const { recorder, store, total } = recorderWith({ retention: 48 * HOUR });
  for (let number = 0; number < 2_500; number++) {
    await store.recordUsage(batchOf(allowed(number, 1, 499_943)));
  }
  await store.recordUsage(batchOf(allowed(1, 7, 499_944), allowed(2, 8)));
  await vi.advanceTimersByTimeAsync(INTERVAL);
  await vi.waitFor(async () => expect(await total()).toBe(15));
  await recorder.close();
});

it("keeps the hours of 31 days, and of what is older the days", async () => {
  const { recorder, store } = recorderWith();
  const today = 500_000 - (500_000 % 24);
  const oldest = today - 31 * 24;
  await store.recordUsage(
    batchOf(allowed(1, 1, oldest - 1), allowed(1, 2, oldest - 2), allowed(1, 4, oldest + 5)),
  );
  await vi.advanceTimersByTimeAsync(INTERVAL);
  await vi.waitFor(async () =>
    expect(await store.usage({ kind: "all" }, 0, 1_000_000, 1)).toEqual([
      { start: oldest - 24, reason: "ALLOWED", count: 3 },
      { start: oldest + 5, reason: "ALLOWED", count: 4 },
    ]),
  );
  await recorder.close();
});
