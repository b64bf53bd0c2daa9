// A thread that charges, for `limit-ledger-threads.test.ts`.
import { parentPort, workerData } from "node:worker_threads";
import { LimitLedger } from "../../src/app/limit-ledger.ts";
import type { LedgerMemory } from "../../src/app/limit-ledger-memory.ts";
import { assessRateLimits, type RateLimit } from "../../src/domain/rate-limit.ts";

export interface Charging {
  readonly memory: LedgerMemory;
  readonly owner: number;
  /** Set to 1 when all are to begin. */
  readonly gate: Int32Array;
  readonly limits: readonly RateLimit[];
  /** What is asked for, each by the number of its key and its cost. */
  readonly calls: readonly (readonly [key: number, cost: number])[];
  /** Blocks for good when it comes to this call: "deciding" within its decision, "writing" while it is stored. */
  readonly stopAt?: { readonly call: number; readonly when: "deciding" | "writing" };
}

if (parentPort === null) throw new Error("charging-worker runs as a worker thread only");
const port = parentPort;
const { memory, owner, gate, limits, calls, stopAt }: Charging = workerData;
const ledger = new LimitLedger({ memory, owner, whenFull: "refuse" });

function stop(): never {
  port.postMessage("stopped");
  for (;;) Atomics.wait(gate, 0, 1);
}

Atomics.wait(gate, 0, 0);
const allowed: number[] = [];
for (const [index, [key, cost]] of calls.entries()) {
  const { allowed: isAllowed } = ledger.use([1, 2, 3, key], limits, 1_000, (usage) => {
    const assessment = assessRateLimits(limits, usage, cost, 1_000);
    if (stopAt?.call !== index) return assessment;
    if (stopAt.when === "deciding" || assessment.charged === undefined) stop();
    const torn = Object.assign([...limits], { entries: stop });
    return { ...assessment, charged: { ...assessment.charged, limits: torn } };
  });
  if (isAllowed) allowed.push(index);
}
port.postMessage(allowed);
