import type { Database } from "better-sqlite3";
import { actingAmong, type SchemaObject } from "./schema-objects.ts";
import type { OnRefusedRow } from "./sealed-reader.ts";
import { schemaAltered } from "./untrusted.ts";

/**
 * To be asked within each transaction that writes: a trigger that somebody has added could undo what it writes, and the
 * change would be acknowledged all the same. Looks closer only where SQLite's count of changes of the schema says so.
 * Throws DATA_LOSS (SCHEMA_ALTERED), and reports it. `own`: this build's schema.
 */
export function createSchemaGuard(
  db: Database,
  own: readonly SchemaObject[],
  onRefusedRow: OnRefusedRow,
): () => void {
  const version = db.prepare<[], number>("PRAGMA schema_version").pluck();
  let known: number | undefined;
  return () => {
    const current = version.get();
    if (current === known) return;
    const foreign = actingAmong(db, own);
    if (foreign.length > 0) {
      const error = schemaAltered(foreign);
      onRefusedRow(error);
      throw error;
    }
    known = current;
  };
}
