import { LimitLedger } from "../app/limit-ledger.ts";
import { createLedgerMemory, type LedgerMemory } from "../app/limit-ledger-memory.ts";

/** The memory that all threads share. Both take address space from the start, and memory only as they come to be used. */
export interface LedgerMemories {
  /** What keys have spent of their rate limits: 240 bytes for each that has spent some, 250 MiB at most. */
  readonly limits: LedgerMemory;
  /** What sources have spent of their failure budgets: 68 bytes for each, 4.3 MiB at most. */
  readonly failures: LedgerMemory;
}

/** One thread's hold on that memory. */
export interface Ledgers {
  readonly limits: LimitLedger;
  readonly failures: LimitLedger;
}

export function createLedgerMemories(): LedgerMemories {
  return {
    limits: createLedgerMemory({ entries: 2 ** 20, limits: 8, shards: 64 }),
    failures: createLedgerMemory({ entries: 2 ** 16, limits: 1, shards: 16 }),
  };
}

/** `owner`: what it locks the memory with; no two threads of a process ever have the same. */
export function openLedgers({ limits, failures }: LedgerMemories, owner: number): Ledgers {
  return {
    limits: new LimitLedger({ memory: limits, owner, whenFull: "refuse" }),
    // Of sources there is no end: who has many can make room for more guesses, but not cost us more memory.
    failures: new LimitLedger({ memory: failures, owner, whenFull: "forget" }),
  };
}
