import type { Logger } from "../adapters/telemetry/logger.ts";
import { throttled } from "../adapters/telemetry/throttled.ts";
import { LimitLedger } from "../app/limit-ledger.ts";
import { createLedgerMemory, type LedgerMemory } from "../app/limit-ledger-memory.ts";

/**
 * The memory that all threads share. Both take address space from the start, and memory only as they come to be used:
 * docs/operations.md says how much.
 */
export interface LedgerMemories {
  /** What keys have spent of their rate limits. */
  readonly limits: LedgerMemory;
  /** What sources have spent of their failure budgets. */
  readonly failures: LedgerMemory;
}

/** One thread's hold on that memory. */
export interface Ledgers {
  readonly limits: LimitLedger;
  readonly failures: LimitLedger;
}

/** Milliseconds between two complaints of one thread: every call could be one. */
const COMPLAINT_INTERVAL = 60_000;

export function createLedgerMemories(): LedgerMemories {
  return {
    limits: createLedgerMemory({ entries: 2 ** 20, limits: 8, shards: 64 }),
    failures: createLedgerMemory({ entries: 2 ** 16, limits: 1, shards: 16 }),
  };
}

/** `owner`: what it locks the memory with; no two threads of a process ever have the same. */
export function openLedgers({ limits, failures }: LedgerMemories, owner: number, log: Logger): Ledgers {
  const complain = throttled<void>(COMPLAINT_INTERVAL, (refused) =>
    log.error(
      { reason: "LIMITS_FULL", refused },
      "there is no room to remember what further keys spend of their rate limits: they are denied",
    ),
  );
  return {
    limits: new LimitLedger({ memory: limits, owner, whenFull: "refuse", onRefused: () => complain(1) }),
    // Of sources there is no end: who has many can make room for more guesses, but not cost us more memory.
    failures: new LimitLedger({ memory: failures, owner, whenFull: "forget" }),
  };
}
