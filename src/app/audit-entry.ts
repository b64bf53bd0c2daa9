import type { Api } from "../domain/api.ts";
import type { AuditAction } from "../domain/audit-chain.ts";
import type { Key } from "../domain/key.ts";
import type { AuditEntry } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";

/** What the audit says of a change that the caller makes; `requestId`, if not empty, in place of the call's own. */
export function auditEntry(
  { caller, now }: Pick<AdminParts, "caller" | "now">,
  action: AuditAction,
  before: Key | Api | null,
  requestId = "",
): AuditEntry {
  return { action, actor: caller.actor, requestId: requestId || caller.requestId, time: now(), before };
}
