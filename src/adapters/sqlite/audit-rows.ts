import type { ApiId } from "../../domain/api.ts";
import type { Actor, AuditAction, AuditEvent, EventHash } from "../../domain/audit-chain.ts";
import type { KeyId } from "../../domain/key.ts";
import type { Revision } from "../../domain/revision.ts";
import type { auditEvents } from "./schema.ts";

export type AuditRow = typeof auditEvents.$inferSelect;

export function encodeAuditEvent(event: AuditEvent): AuditRow {
  return {
    revision: event.revision,
    record_kind: event.recordKind,
    record_id: event.recordId,
    adds_token: event.addsToken ? 1 : 0,
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
    recordKind: row.record_kind as AuditEvent["recordKind"],
    addsToken: row.adds_token === 1,
    api: row.api as ApiId | "",
    before: row.before,
    after: row.after,
    // Nobody here writes a flag that is neither 0 nor 1: no hash fits such an event.
    hash: (row.adds_token === 0 || row.adds_token === 1 ? row.hash : "") as EventHash,
  };
}
