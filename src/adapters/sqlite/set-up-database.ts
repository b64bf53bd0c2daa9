import Database from "better-sqlite3";
import { setPragma } from "./connection.ts";
import { APPLICATION_ID } from "./inspect-database.ts";
import { ownObjects } from "./inspection-structure.ts";
import { migrateSchema } from "./migrations.ts";
import { refusal } from "./refusal.ts";
import { foreignAmong, type SchemaObject } from "./schema-objects.ts";

/**
 * Makes the file, which may be empty, a database with this build's schema. Before the writer's thread starts, as
 * the migrator takes longer to load than all the rest of that thread. Gives that schema.
 */
export function setUpDatabase(path: string): readonly SchemaObject[] {
  const db = new Database(path, { fileMustExist: true });
  try {
    // First of all, and while there is no log yet: from its first page on the file says whose it is.
    if (db.pragma("page_count", { simple: true }) === 0) db.pragma(`application_id = ${APPLICATION_ID}`);
    if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID)
      throw refusal("STORE_FOREIGN", path);
    setPragma(db, "journal_mode", "wal");
    setPragma(db, "synchronous", 2);
    migrateSchema(db);
    const schema = ownObjects();
    const foreign = foreignAmong(db, schema);
    if (foreign.length > 0) throw refusal("SCHEMA_ALTERED", path, new Error(foreign.join(", ")));
    return schema;
  } finally {
    db.close();
  }
}
