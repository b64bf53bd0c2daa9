import fc from "fast-check";
import { expect, it } from "vitest";
import type { Revision } from "../../src/domain/revision.ts";
import { overrideStore } from "../support/override-store.ts";
import { history, play } from "./history.ts";

const RUNS = 5_000;
/** With a guard taken out, the search ends at the first stale answer; it always searches the same histories. */
const BROKEN = { numRuns: 20_000, seed: 20_261_124 };

it(`no order of verifying, filling, committing, evicting and restarting gives a stale answer, in ${RUNS} histories`, async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.scheduler(), async (steps, scheduler) => {
      expect(await play(steps, scheduler)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

it("finds a stale answer once fills claim to be newer than they are, which takes their guard out", async () => {
  const result = await fc.check(
    fc.asyncProperty(history, fc.scheduler(), async (steps, scheduler) => {
      const wrong = await play(steps, scheduler, (store) =>
        overrideStore(store, {
          findTokens: async (digests) => ({
            ...(await store.findTokens(digests)),
            revision: Number.MAX_SAFE_INTEGER as Revision,
          }),
        }),
      );
      return wrong.length === 0;
    }),
    BROKEN,
  );
  expect(result.failed).toBe(true);
});

it("finds a stale answer once the freshness check always says that nothing has changed", async () => {
  const result = await fc.check(
    fc.asyncProperty(history, fc.scheduler(), async (steps, scheduler) => {
      const wrong = await play(steps, scheduler, (store) => {
        let version: number | undefined;
        return overrideStore(store, { version: () => (version ??= store.version()) });
      });
      return wrong.length === 0;
    }),
    BROKEN,
  );
  expect(result.failed).toBe(true);
});
