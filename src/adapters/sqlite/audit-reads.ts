import type { Database } from "better-sqlite3";
import type { SQL } from "drizzle-orm";
import type { AuditFilter, AuditReads } from "../../ports/store.ts";
import { decodeAuditEvent } from "./audit-rows.ts";
import { and, asc, desc, drizzle, eq, gt, gte, lt } from "./drizzle.ts";
import { asked } from "./reading.ts";
import { auditEvents } from "./schema.ts";
import type { SealedReader } from "./sealed-reader.ts";
import { createEndReader } from "./stored-end-reader.ts";

/** What the audit is read by, on a reader's connection. */
export function createAuditReads(
  client: Database,
  rows: SealedReader,
  examineRecords: AuditReads["examineRecords"],
): AuditReads {
  const db = drizzle({ client });
  const storedEnd = createEndReader(client, rows);

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
        const { head, stored } = storedEnd();
        const { revision, hash, isDistrusted } = head ?? { ...stored, isDistrusted: false };
        return { revision, hash, isAuthentic: head !== undefined, isDistrusted };
      }),

    examineRecords,
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
