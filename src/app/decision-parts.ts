import type { Environment } from "../domain/api.ts";
import type { KeyRecord } from "../domain/key.ts";
import type { FailureBudget } from "./failure-budget.ts";
import type { FreshCache } from "./fresh-cache.ts";
import type { LimitLedger } from "./limit-ledger.ts";

/** What decisions are made with, whether they are told or explained. */
export interface DecisionParts {
  readonly cache: FreshCache<KeyRecord>;
  readonly ledger: LimitLedger;
  readonly failures: FailureBudget;
  /** What callers serve who do not say it. */
  readonly environment: Environment | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
