import { openSqliteStore } from "../adapters/sqlite/sqlite-store.ts";
import { BUILT_IN_API } from "../domain/api.ts";
import type { Keyring } from "../domain/keyring.ts";
import type { LostChanges } from "../domain/store-care.ts";
import { MACHINE, operatorName } from "./operator.ts";
import { refused } from "./refused.ts";

/**
 * Writes into the audit of a copy that it takes the place of a store: by whom, where that store's audit ended, and how many
 * changes are undone by it. An event belongs to a change, so this one is of the built-in API, which stays as it is.
 * `lost`: a string, why that can't be said; null: there was no store. `now`: milliseconds since the epoch.
 */
export async function auditRestore(
  path: string,
  { sealKeys }: Keyring,
  lost: LostChanges | string | null,
  now: number,
): Promise<void> {
  const problems: unknown[] = [];
  const note = (problem: unknown) => void problems.push(problem);
  const store = await openSqliteStore({
    path,
    unlock: async () => sealKeys,
    now: () => now,
    onRefusedRow: note,
    onWriterFailure: note,
  });
  try {
    const api = await store.getApi(BUILT_IN_API);
    // Nobody has ever served it: there is nothing to roll back.
    if (api === undefined) return;
    const result = await store.commit(
      { kind: "update-api", api, expected: api.revision, removedEnvironments: [] },
      { action: "Restore", actor: MACHINE, requestId: summary(lost), time: now, before: api },
    );
    if (!result.ok) throw refused("COPY_NOT_WRITTEN", `${path} could not be written to`, problems[0]);
  } finally {
    await store.close();
  }
}

function summary(lost: LostChanges | string | null): string {
  const by = `restored by ${operatorName()}`;
  if (lost === null) return `${by}, where there was no store`;
  if (typeof lost === "string") return `${by}, in place of a store that could not be read`;
  const place = `in place of a store at revision ${lost.revision} (${lost.hash})`;
  return lost.sameHistory
    ? `${by}, ${place}; changes undone: ${lost.changes}`
    : `${by}, ${place}, which does not continue it`;
}
