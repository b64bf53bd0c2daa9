import type { Api } from "../domain/api.ts";
import { checkApiFields } from "../domain/api-rules.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { AdminParts } from "./admin-parts.ts";
import { auditEntry } from "./audit-entry.ts";
import { refuseOutsideBinding } from "./delegated.ts";

/** What is asked of an API. */
export type ApiInput = Omit<Api, "createTime" | "updateTime" | "revision">;

/**
 * Creates an API. Throws INVALID_ARGUMENT with a violation for each field that breaks its rule, and
 * ALREADY_EXISTS (API_EXISTS) if its id or token prefix is taken, PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function createApi(parts: AdminParts, input: ApiInput): Promise<Api> {
  refuseOutsideBinding(parts, input.id, undefined);
  const violations = checkApiFields(input);
  if (violations.length > 0) throw invalidArgument(violations);
  const time = parts.now();
  const api: Api = { ...input, createTime: time, updateTime: time, revision: 0 as Revision };
  const result = await parts.store.commit({ kind: "create-api", api }, auditEntry(parts, "CreateApi", null));
  if (result.ok) return { ...api, revision: result.revision };
  throw new KeywardenError({
    status: "ALREADY_EXISTS",
    reason: "API_EXISTS",
    message: `there is an API with the id ${api.id} or the token prefix ${api.tokenPrefix} already`,
  });
}
