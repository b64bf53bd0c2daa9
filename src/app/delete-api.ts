import { KeywardenError } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { auditEntry } from "./audit-entry.ts";
import { type ApiReference, currentApi } from "./current-api.ts";

/** Deletes an API that has no keys. Errors: see currentApi; ABORTED (CONTENTION); FAILED_PRECONDITION (API_HAS_KEYS). */
export async function deleteApi(parts: AdminParts, reference: ApiReference): Promise<void> {
  await repeated(async () => {
    const api = await currentApi(parts, reference);
    const result = await parts.store.commit(
      { kind: "delete-api", id: api.id, expected: api.revision },
      auditEntry(parts, "DeleteApi", api),
    );
    if (result.ok) return true;
    if (result.conflict !== "HAS_KEYS") return undefined;
    throw new KeywardenError({
      status: "FAILED_PRECONDITION",
      reason: "API_HAS_KEYS",
      message: `the API ${api.id} has keys, and keys are kept even when they are revoked; it stays`,
    });
  });
}
