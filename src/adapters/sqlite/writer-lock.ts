import Database from "better-sqlite3";

/** Held by the one process that writes. */
export interface WriterLock {
  release(): void;
}

/** Beside the database, empty, and left there: whoever removed it could remove it from under another's feet. */
export function lockFile(path: string): string {
  return `${path}.lock`;
}

/**
 * Takes the lock of the database at `path`; throws SQLITE_BUSY at once if a process has it. Node can't lock files,
 * SQLite can: an exclusive transaction on an empty database is an exclusive lock that the kernel gives back when
 * the process ends, however it ends.
 *
 * Nothing else in this process may open the lock file: closing it would give the lock back (POSIX, fcntl).
 */
export function takeWriterLock(path: string): WriterLock {
  const db = new Database(lockFile(path), { timeout: 0 });
  try {
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
}
