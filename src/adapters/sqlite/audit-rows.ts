import type { ApiId } from "../../domain/api.ts";
import type { Actor, AuditAction, AuditEvent, EventHash } from "../../domain/audit-chain.ts";
import type { KeyId } from "../../domain/key.ts";
import type { Revision } from "../../domain/revision.ts";
import type { LoggedChange } from "../../ports/change-log.ts";
import type { auditEvents } from "./schema.ts";

type AuditRow = typeof auditEvents.$inferSelect;

export function encodeAuditEvent(event: AuditEvent, logged: LoggedChange): AuditRow {
  return {
    revision: event.revision,
    record_kind: logged.kind,
    record_id: event.recordId,
    adds_token: logged.addsToken ? 1 : 0,
    time: event.time,
    action: event.action,
    actor_kind: event.actor.kind,
    actor_key_id: event.actor.keyId,
    actor_ip: event.actor.ip,
    request_id: event.requestId,
    api: event.api,
    before: event.before,
    after: event.after,
    hash: event.hash,
  };
}

/** As it stands there, whatever somebody has made of it: its hash tells whether it is what was written. */
export function decodeAuditEvent(row: AuditRow): AuditEvent {
  return {
    revision: row.revision as Revision,
    time: row.time,
    action: row.action as AuditAction,
    actor: {
      kind: row.actor_kind as Actor["kind"],
      keyId: row.actor_key_id as KeyId | null,
      ip: row.actor_ip,
    },
    requestId: row.request_id,
    recordId: row.record_id,
    api: row.api as ApiId | "",
    before: row.before,
    after: row.after,
    hash: row.hash as EventHash,
  };
}
