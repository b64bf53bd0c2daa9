import type { Database } from "better-sqlite3";
import { actingObjects } from "./inspection-structure.ts";
import type { OnRefusedRow } from "./sealed-reader.ts";
import { schemaAltered } from "./untrusted.ts";

/**
 * To be asked within each transaction that writes: a trigger that somebody has added could undo what it writes, and the
 * change would be acknowledged all the same. Looks closer only where SQLite's count of changes of the schema says so.
 * Throws DATA_LOSS (SCHEMA_ALTERED), and reports it.
 */
export function createSchemaGuard(db: Database, onRefusedRow: OnRefusedRow): () => void {
  const version = db.prepare<[], number>("PRAGMA schema_version").pluck();
  let known: number | undefined;
  return () => {
    const current = version.get();
    if (current === known) return;
    const foreign = actingObjects(db);
    if (foreign.length > 0) {
      const error = schemaAltered(foreign);
      onRefusedRow(error);
      throw error;
    }
    known = current;
  };
}
