import type { Api } from "../domain/api.ts";
import { checkApiFields } from "../domain/api-rules.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { auditEntry } from "./audit-entry.ts";
import { type ApiReference, currentApi } from "./current-api.ts";

/** The fields to change; those that are left out stay. */
export type ApiPatch = Partial<
  Pick<Api, "displayName" | "environments" | "scopes" | "routeRules" | "keyDefaults" | "importedTokenShapes">
>;

/**
 * Changes some fields of an API. Errors: see currentApi; ABORTED (CONTENTION); INVALID_ARGUMENT;
 * FAILED_PRECONDITION (ENVIRONMENT_HAS_KEYS).
 */
export function updateApi(parts: AdminParts, reference: ApiReference, patch: ApiPatch): Promise<Api> {
  return repeated(async () => {
    const api = await currentApi(parts, reference);
    const changed: Api = { ...api, ...patch, updateTime: parts.now() };
    const violations = checkApiFields(changed);
    if (violations.length > 0) throw invalidArgument(violations);
    const removedEnvironments = api.environments.filter((name) => !changed.environments.includes(name));
    const result = await parts.store.commit(
      { kind: "update-api", api: changed, expected: api.revision, removedEnvironments },
      auditEntry(parts, "UpdateApi", api),
    );
    if (result.ok) return { ...changed, revision: result.revision };
    if (result.conflict !== "HAS_KEYS") return undefined;
    throw new KeywardenError({
      status: "FAILED_PRECONDITION",
      reason: "ENVIRONMENT_HAS_KEYS",
      message: `environments that have keys cannot go: ${removedEnvironments.join(", ")}`,
    });
  });
}
