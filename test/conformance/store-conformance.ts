import { describe } from "vitest";
import { describeChangeLog } from "./store-change-log.ts";
import { describeChanges } from "./store-changes.ts";
import { describeClose } from "./store-close.ts";
import { describeConflicts } from "./store-conflicts.ts";
import { describeImports } from "./store-imports.ts";
import { describeListings } from "./store-listings.ts";
import { describeReads } from "./store-reads.ts";
import type { OpenStore } from "./store-subject.ts";
import { describeUsage } from "./store-usage.ts";

/** Everything that `src/ports/store.ts` promises, asked of one engine. */
export function describeStore(name: string, open: OpenStore): void {
  describe(`the contract of a store, kept by ${name}`, () => {
    describeChanges(open);
    describeConflicts(open);
    describeImports(open);
    describeChangeLog(open);
    describeReads(open);
    describeListings(open);
    describeUsage(open);
    describeClose(open);
  });
}
