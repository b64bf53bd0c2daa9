import { fileURLToPath } from "node:url";
import type { Database } from "better-sqlite3";
import { drizzle, migrate, readMigrationFiles } from "./drizzle.ts";

/** Where the migrator notes what it has done. */
const migrationsTable = "__drizzle_migrations";

/** The folder is as far from here in `src/` as in `dist/`. */
const migrationsFolder = fileURLToPath(new URL("../../../drizzle/sqlite", import.meta.url));

/** What this build may do to a schema: its migrations, by the times that the migrator notes. */
export function knownMigrations(): ReadonlySet<number> {
  return new Set(readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
}

/** What was done to this database's schema. */
export function migrationsOf(db: Database): readonly number[] {
  const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(migrationsTable);
  if (isThere === undefined) return [];
  return db.prepare<[], number>(`SELECT created_at FROM ${migrationsTable}`).pluck().all();
}

/** Brings the schema up to this build's, in one transaction. */
export function migrateSchema(db: Database): void {
  migrate(drizzle({ client: db }), { migrationsFolder, migrationsTable });
}
