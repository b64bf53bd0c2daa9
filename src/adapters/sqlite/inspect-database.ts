import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { knownMigrations, MIGRATIONS_TABLE } from "./migrations.ts";
import { refusal, refusalOf } from "./refusal.ts";

/** "KWDN", in the database's header: this file is Keywarden's. */
export const APPLICATION_ID = 0x4b57444e;

/**
 * Looks at the file without writing anything. Throws a refusal (STORE_CORRUPT, STORE_FOREIGN, STORE_NEWER_SCHEMA,
 * STORE_NOT_WRITABLE) if it is something that this build must not open; a missing or empty file is fine.
 */
export function inspectDatabase(path: string): void {
  const hasLog = sizeOf(`${path}-wal`) > 0;
  if (sizeOf(path) === 0) {
    // SQLite would throw the log away, and with it the last traces of a lost database.
    if (hasLog) throw refusal("STORE_CORRUPT", path, new Error(`it is empty, but ${path}-wal is not`));
    return;
  }
  // The application id was written before the database had a log, so it is always in the file itself. Immutable:
  // no locks, no log, no shared memory, so nothing appears beside a file that may not be ours.
  inspect(path, "immutable=1", (db) => {
    if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID)
      throw refusal("STORE_FOREIGN", path);
  });
  inspect(path, hasLog ? "mode=ro" : "immutable=1", (db) => {
    const known = knownMigrations();
    for (const made of migrationsOf(db)) {
      if (!known.has(made)) throw refusal("STORE_NEWER_SCHEMA", path);
    }
  });
}

function inspect(path: string, mode: "immutable=1" | "mode=ro", look: (db: Database.Database) => void): void {
  let db: Database.Database | undefined;
  try {
    db = new Database(`${pathToFileURL(path).href}?${mode}`, { readonly: true });
    look(db);
  } catch (error) {
    throw refusalOf(error, path);
  } finally {
    db?.close();
  }
}

function migrationsOf(db: Database.Database): readonly number[] {
  const isThere = db
    .prepare("SELECT count(*) FROM sqlite_schema WHERE name = ?")
    .pluck()
    .get(MIGRATIONS_TABLE);
  if (isThere === 0) return [];
  return db.prepare<[], number>(`SELECT created_at FROM ${MIGRATIONS_TABLE}`).pluck().all();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
