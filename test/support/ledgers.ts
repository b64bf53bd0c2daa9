import { FailureBudget } from "../../src/app/failure-budget.ts";
import { LimitLedger } from "../../src/app/limit-ledger.ts";
import { createLedgerMemory } from "../../src/app/limit-ledger-memory.ts";

/** What a verifier needs to charge: empty ledgers of a moderate size. */
export function testLedgers({ perMinute = 0 } = {}): { ledger: LimitLedger; failures: FailureBudget } {
  const ledgerOf = (limits: number) =>
    new LimitLedger({
      memory: createLedgerMemory({ entries: 1024, limits, shards: 4 }),
      owner: 1,
      whenFull: "refuse",
    });
  return { ledger: ledgerOf(8), failures: new FailureBudget({ ledger: ledgerOf(1), perMinute }) };
}
