import Database from "better-sqlite3";
import { APPLICATION_ID } from "./inspect-database.ts";
import { migrateSchema } from "./migrations.ts";
import { refusal } from "./refusal.ts";

/** Before this one, two connections could corrupt a database whose log was reset (the "WAL-reset" bug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Milliseconds to wait for another process's lock, such as that of somebody's `sqlite3` shell. */
const WRITER_PATIENCE = 5_000;
const READER_PATIENCE = 1_000;

/** The log is cut to this size, in bytes, once its pages are back in the database. */
const LONGEST_LOG = 64 * 1024 * 1024;

/** The one connection that writes, with the schema brought up to date. The file must exist; it may be empty. */
export function openWriterConnection(path: string): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: WRITER_PATIENCE });
  try {
    assertVersion(db);
    // First of all, and while there is no log yet: from its first page on the file says whose it is.
    if (db.pragma("page_count", { simple: true }) === 0) db.pragma(`application_id = ${APPLICATION_ID}`);
    if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID)
      throw refusal("STORE_FOREIGN", path);
    set(db, "journal_mode", "wal");
    // FULL: what is committed is on disk. This build's default for a log is NORMAL, which may lose it.
    set(db, "synchronous", 2);
    set(db, "foreign_keys", 1);
    set(db, "trusted_schema", 0);
    set(db, "journal_size_limit", LONGEST_LOG);
    migrateSchema(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that can't write. The writer must be open: readers share its log. */
export function openReaderConnection(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: READER_PATIENCE });
  try {
    assertVersion(db);
    set(db, "query_only", 1);
    set(db, "trusted_schema", 0);
    const journal = db.pragma("journal_mode", { simple: true });
    if (journal !== "wal") throw new Error(`the database's journal_mode is ${journal}, and must be wal`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Sets a pragma and reads it back: SQLite does not complain of one that it ignores. */
function set(db: Database.Database, name: string, value: number | string): void {
  db.pragma(`${name} = ${value}`);
  const actual = db.pragma(name, { simple: true });
  if (actual !== value) throw new Error(`SQLite's ${name} is ${actual}, and must be ${value}`);
}

function assertVersion(db: Database.Database): void {
  const version = db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "";
  const parts = version.split(".").map(Number);
  const different = OLDEST_SQLITE.findIndex((part, index) => parts[index] !== part);
  const isOld = different >= 0 && !((parts[different] ?? 0) > (OLDEST_SQLITE[different] ?? 0));
  if (isOld) throw new Error(`SQLite is ${version}, and must be ${OLDEST_SQLITE.join(".")} or newer`);
}
