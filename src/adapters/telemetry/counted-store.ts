import type { Freshness, Store, VerificationReads } from "../../ports/store.ts";
import type { Metrics } from "./metrics.ts";
import type { CellName } from "./thread-cells.ts";
import type { ThreadCounts } from "./thread-counts.ts";

/** The store, with its changes counted and timed. */
export function countedStore(store: Store, metrics: Metrics): Store {
  return {
    ...store,
    async commit(change, entry) {
      const end = metrics.commitDuration.startTimer();
      let outcome = "failed";
      try {
        const result = await store.commit(change, entry);
        outcome = result.ok ? "ok" : result.conflict;
        if (result.ok) metrics.reached(result.revision);
        return result;
      } finally {
        end();
        metrics.commits.inc({ change: change.kind, outcome });
      }
    },
  };
}

/** What verifications ask of the store, with their questions counted. */
export function countedReads(
  reads: Freshness & VerificationReads,
  counts: ThreadCounts,
): Freshness & VerificationReads {
  const counted = async <Answer>(name: CellName, ask: () => Promise<Answer>): Promise<Answer> => {
    counts.add(name);
    try {
      return await ask();
    } catch (error) {
      counts.add("readFailures");
      throw error;
    }
  };
  return {
    version() {
      try {
        return reads.version();
      } catch (error) {
        counts.add("readFailures");
        throw error;
      }
    },
    changesSince: (revision) => counted("changeReads", () => reads.changesSince(revision)),
    findTokens: (digests) => counted("tokenReads", () => reads.findTokens(digests)),
    allApis: () => counted("apiReads", () => reads.allApis()),
  };
}
