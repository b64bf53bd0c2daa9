import type { Database } from "better-sqlite3";
import type { AuditEvent } from "../../domain/audit-chain.ts";
import { type AuditRow, encodeAuditEvent } from "./audit-rows.ts";
import { insertSql } from "./columns.ts";
import { codeOf } from "./refusal.ts";
import type { OnRefusedRow } from "./sealed-reader.ts";
import { untrusted } from "./untrusted.ts";

/**
 * Adds events to the audit. One that has the number already can't be ours, as numbers are given in order: it makes way, so
 * that nobody can stop a revocation by it, and goes into the log as a whole.
 */
export function createEventWriter(db: Database, onRefusedRow: OnRefusedRow): (event: AuditEvent) => void {
  const insert = db.prepare(insertSql(db, "audit_events"));
  const other = db.prepare<[number], AuditRow>("SELECT * FROM audit_events WHERE revision = ?");
  const remove = db.prepare("DELETE FROM audit_events WHERE revision = ?");
  return (event) => {
    const row = encodeAuditEvent(event);
    try {
      insert.run(row);
    } catch (error) {
      if (codeOf(error) !== "SQLITE_CONSTRAINT_PRIMARYKEY") throw error;
      const found = JSON.stringify(other.get(event.revision));
      onRefusedRow(
        untrusted(`event ${event.revision} was forged, and made way for the one of that number: ${found}`),
      );
      remove.run(event.revision);
      insert.run(row);
    }
  };
}
