import type { Database } from "better-sqlite3";
import type { SQL } from "drizzle-orm";
import { CHAIN_START, type EventHash } from "../../domain/audit-chain.ts";
import type { Revision } from "../../domain/revision.ts";
import type { AuditFilter, AuditReads } from "../../ports/store.ts";
import { decodeAuditEvent } from "./audit-rows.ts";
import { and, asc, desc, drizzle, eq, gt, gte, lt } from "./drizzle.ts";
import { asked } from "./reading.ts";
import { auditEvents, auditHead } from "./schema.ts";
import type { SealedReader } from "./sealed-reader.ts";

/** What the audit is read by, on a reader's connection. */
export function createAuditReads(client: Database, rows: SealedReader): AuditReads {
  const db = drizzle({ client });
  const newestRecord = client
    .prepare<[], number>(
      "SELECT max(coalesce((SELECT max(revision) FROM keys), 0), coalesce((SELECT max(revision) FROM apis), 0))",
    )
    .pluck();

  return {
    listAuditEvents: async (filter, before, limit) =>
      asked(() =>
        db
          .select()
          .from(auditEvents)
          .where(and(lt(auditEvents.revision, before), ...conditionsOf(filter)))
          .orderBy(desc(auditEvents.revision))
          .limit(limit)
          .all()
          .map(decodeAuditEvent),
      ),

    auditChain: async (after, limit) =>
      asked(() =>
        db
          .select()
          .from(auditEvents)
          .where(gt(auditEvents.revision, after))
          .orderBy(asc(auditEvents.revision))
          .limit(limit)
          .all()
          .map(decodeAuditEvent),
      ),

    auditHead: async () =>
      asked(() => {
        const head = db.select().from(auditHead).get();
        return {
          revision: (head?.revision ?? 0) as Revision,
          hash: (head?.hash ?? CHAIN_START) as EventHash,
          isAuthentic: head !== undefined && rows.isSealed("audit_head", head),
        };
      }),

    newestRecord: async () => asked(() => (newestRecord.get() ?? 0) as Revision),
  };
}

function conditionsOf({ api, recordId, actorKeyId, action, from, until }: AuditFilter): readonly SQL[] {
  return [
    api !== undefined && eq(auditEvents.api, api),
    recordId !== undefined && eq(auditEvents.record_id, recordId),
    actorKeyId !== undefined && eq(auditEvents.actor_key_id, actorKeyId),
    action !== undefined && eq(auditEvents.action, action),
    from !== undefined && gte(auditEvents.time, from),
    until !== undefined && lt(auditEvents.time, until),
  ].filter((condition) => condition !== false);
}
