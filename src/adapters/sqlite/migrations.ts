import { fileURLToPath } from "node:url";
import type { Database } from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";

/** Where the migrator notes what it has done. */
export const MIGRATIONS_TABLE = "__drizzle_migrations";

/** The folder is as far from here in `src/` as in `dist/`. */
const migrationsFolder = fileURLToPath(new URL("../../../drizzle/sqlite", import.meta.url));

/** What this build can have done to a schema: the migrations' times, as the migrator notes them. */
export function knownMigrations(): ReadonlySet<number> {
  return new Set(readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
}

/** Brings the schema up to this build's, in one transaction. */
export function migrateSchema(db: Database): void {
  migrate(drizzle({ client: db }), { migrationsFolder, migrationsTable: MIGRATIONS_TABLE });
}
