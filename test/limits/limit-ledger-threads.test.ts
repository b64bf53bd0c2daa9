import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, it } from "vitest";
import { LimitLedger } from "../../src/app/limit-ledger.ts";
import { createLedgerMemory } from "../../src/app/limit-ledger-memory.ts";
import { assessRateLimits, type RateLimit } from "../../src/domain/rate-limit.ts";
import type { Charging } from "./charging-worker.ts";

const entry = new URL("./charging-worker.ts", import.meta.url);
const newMemory = () => createLedgerMemory({ entries: 64, limits: 8, shards: 2 });
const newGate = () => new Int32Array(new SharedArrayBuffer(4));

type Calls = Charging["calls"];

/** Starts a thread, which waits at the gate. */
async function start(charging: Charging): Promise<Worker> {
  const worker = new Worker(entry, { workerData: charging });
  await once(worker, "online");
  return worker;
}

function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

/** All calls of all threads at once: for each thread, the indices of those that were allowed. */
async function race(memory: Charging["memory"], limits: readonly RateLimit[], calls: readonly Calls[]) {
  const gate = newGate();
  const workers = await Promise.all(
    calls.map((calls, index) => start({ memory, owner: index + 2, gate, limits, calls })),
  );
  const answers = Promise.all(
    workers.map(async (worker): Promise<number[]> => (await once(worker, "message"))[0]),
  );
  open(gate);
  return answers;
}

/** What `key` has left of each limit, as another thread sees it. */
function debtsOf(ledger: LimitLedger, limits: readonly RateLimit[], key: number): readonly number[] {
  const look = ledger.use([1, 2, 3, key], limits, 1_000, (usage) => ({ usage, charged: undefined }));
  return look.usage?.debts ?? [];
}

it("lets through exactly the quota, however many threads spend it at the same time", async () => {
  const memory = newMemory();
  const quota = 50_000;
  const limits = [{ name: "default", quota, window: 31 * 24 * 3_600_000 }];
  const calls: Calls = Array.from({ length: 40_000 }, () => [1, 1]);
  const allowed = await race(memory, limits, [calls, calls, calls]);
  expect(allowed.flat()).toHaveLength(quota);
});

it("charges what it lets through, all of it and nothing else, over several keys, costs and limits", async () => {
  const limits = [
    { name: "few", quota: 60, window: 3_600_000 },
    { name: "many", quota: 500, window: 24 * 3_600_000 },
  ];
  const anyCalls = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.integer({ min: 1, max: 9 })), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(anyCalls, anyCalls, anyCalls), async (calls) => {
      const memory = newMemory();
      const allowed = await race(memory, limits, calls);
      const ledger = new LimitLedger({ memory, owner: 1, whenFull: "refuse" });
      for (const key of [0, 1, 2, 3]) {
        const of = (index: number, isAllowed: boolean) =>
          calls[index]!.filter(
            ([asked], call) => asked === key && allowed[index]!.includes(call) === isAllowed,
          );
        const costs = (isAllowed: boolean) =>
          [0, 1, 2].flatMap((index) => of(index, isAllowed).map(([, cost]) => cost));
        const spent = costs(true).reduce((sum, cost) => sum + cost, 0);
        expect(debtsOf(ledger, limits, key)).toEqual(
          spent === 0 ? [] : limits.map(({ window }) => spent * window),
        );
        // Who was refused would not have fitted in the end either: nothing is held back.
        for (const cost of costs(false)) expect(spent + cost).toBeGreaterThan(60);
      }
    }),
    { numRuns: 15 },
  );
});

for (const when of ["deciding", "writing"] as const) {
  it(`goes on after a thread that died while ${when}, and lets through nothing that it may have charged`, async () => {
    const memory = newMemory();
    const limits = [{ name: "default", quota: 10, window: 60_000 }];
    const gate = newGate();
    const dying = await start({
      memory,
      owner: 2,
      gate,
      limits,
      calls: [
        [1, 3],
        [1, 1],
      ],
      stopAt: { call: 1, when },
    });
    const stopped = once(dying, "message");
    open(gate);
    await stopped;
    await dying.terminate();

    const ledger = new LimitLedger({ memory, owner: 1, whenFull: "refuse" });
    const spend = (cost: number, now: number) =>
      ledger.use([1, 2, 3, 1], limits, now, (usage) => assessRateLimits(limits, usage, cost, now)).allowed;
    expect(() => spend(1, 1_000)).toThrow(expect.objectContaining({ status: "UNAVAILABLE" }));
    ledger.releaseLocksOf(3, 1_000);
    expect(() => spend(1, 1_000)).toThrow(expect.objectContaining({ status: "UNAVAILABLE" }));
    ledger.releaseLocksOf(2, 1_000);
    // Of its first call it is known what was charged; of its second, only if it had not begun to store it.
    expect(spend(8, 1_000)).toBe(false);
    expect(spend(7, 1_000)).toBe(when === "deciding");
    expect(spend(1, 1_000)).toBe(false);
    expect(spend(10, 61_000)).toBe(true);
  });
}
