import Database from "better-sqlite3";

/** Before this one, two connections could corrupt a database when its log was reset (the "WAL-reset" bug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Milliseconds to wait for another process's lock, such as that of somebody's `sqlite3` shell. */
const WRITER_PATIENCE = 5_000;
const READER_PATIENCE = 1_000;

/** The log is cut to this size, in bytes, once its pages are back in the database. */
const LONGEST_LOG = 64 * 1024 * 1024;

/** Kibibytes. Digests are random: an import of 1,000 keys changes as many pages, which had better fit. */
const WRITER_CACHE = 64 * 1024;
/** Pages in the log (16 MB) before they go back into the database; with fewer an import does that after each thousand keys. */
const CHECKPOINT_PAGES = 4_000;

/** The one connection that writes, to a database that is set up. */
export function openWriterConnection(path: string): Database.Database {
  return opened(new Database(path, { fileMustExist: true, timeout: WRITER_PATIENCE }), (db) => {
    // FULL: what is committed is on the disk. This library's default for a log is NORMAL, which may lose it.
    setPragma(db, "synchronous", 2);
    setPragma(db, "foreign_keys", 1);
    setPragma(db, "journal_size_limit", LONGEST_LOG);
    setPragma(db, "cache_size", -WRITER_CACHE);
    setPragma(db, "wal_autocheckpoint", CHECKPOINT_PAGES);
  });
}

/** A connection that can't write, to a database whose writer is open: readers share its log. */
export function openReaderConnection(path: string): Database.Database {
  return opened(new Database(path, { readonly: true, fileMustExist: true, timeout: READER_PATIENCE }), (db) =>
    setPragma(db, "query_only", 1),
  );
}

/** Sets a pragma and reads it back: SQLite does not complain of a value that it ignores. */
export function setPragma(db: Database.Database, name: string, value: number | string): void {
  db.pragma(`${name} = ${value}`);
  assertPragma(db, name, value);
}

function opened(db: Database.Database, setUp: (db: Database.Database) => void): Database.Database {
  try {
    assertVersion(db);
    assertPragma(db, "journal_mode", "wal");
    // A function or a view that somebody put into the file must not run with our rights.
    setPragma(db, "trusted_schema", 0);
    setUp(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function assertPragma(db: Database.Database, name: string, value: number | string): void {
  const actual = db.pragma(name, { simple: true });
  if (actual !== value) throw new Error(`SQLite's ${name} is ${actual}, and must be ${value}`);
}

function assertVersion(db: Database.Database): void {
  const version = db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "";
  if (!isSafeSqlite(version))
    throw new Error(`SQLite is ${version}, and must be ${OLDEST_SQLITE.join(".")} or newer`);
}

/** Is this version of SQLite, such as `3.51.3`, one that keeps a database whole that several have open? */
export function isSafeSqlite(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [oldMajor, oldMinor, oldPatch] = OLDEST_SQLITE;
  return (
    major > oldMajor ||
    (major === oldMajor && (minor > oldMinor || (minor === oldMinor && patch >= oldPatch)))
  );
}
