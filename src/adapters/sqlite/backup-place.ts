import { existsSync, linkSync, renameSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import { syncDirectory } from "../files/sync-directory.ts";
import { refusalOf } from "./refusal.ts";
import { setUpDatabase } from "./set-up-database.ts";
import { closeToOthers, makeDirectory, makeFile, type Undo } from "./store-files.ts";
import { lockFile, takeWriterLock } from "./writer-lock.ts";

/** The place of a store, which is this process's until it gives it back. */
export interface PlaceClaim {
  release(): void;
  /** Releases it, and removes what the claim had made. */
  abandon(): void;
}

/** What SQLite keeps of a store, the database first. */
export function storeFiles(path: string): readonly string[] {
  return ["", "-wal", "-shm", "-journal"].map((suffix) => `${path}${suffix}`);
}

/**
 * Takes the place of a store that is there or will be: no server can open it meanwhile. Throws FAILED_PRECONDITION:
 * STORE_IN_USE, STORE_NOT_WRITABLE.
 */
export function claimPlace(file: string): PlaceClaim {
  const path = resolve(file);
  const undo: Undo[] = [];
  const abandon = () => {
    for (const step of undo.splice(0).toReversed()) step();
  };
  try {
    undo.push(makeDirectory(dirname(path)));
    const lock = lockFile(path);
    const removeLock = makeFile(lock);
    const { release } = takeWriterLock(path);
    undo.push(release, removeLock);
    closeToOthers([lock]);
    return { release, abandon };
  } catch (error) {
    abandon();
    throw refusalOf(error, path);
  }
}

/** Gives a copy of a database this build's schema, as a server would at its start. Throws refusals. */
export function bringUpToDate(path: string): void {
  try {
    setUpDatabase(path);
  } catch (error) {
    throw refusalOf(error, path);
  }
}

/**
 * Puts a database in the place of a store, which nobody may have open. What was there is kept under another name, which
 * this gives (null: there was nothing). Whenever it is interrupted, there is the old store, the new one, or files that a
 * server refuses. `stamp` makes the other name one that is not taken.
 */
export function replaceStore(file: string, replacement: string, stamp: string): string | null {
  const path = resolve(file);
  const aside = `${path}.replaced-${stamp}`;
  try {
    const isThere = storeFiles(path).some((name) => existsSync(name));
    emptyLog(path);
    if (existsSync(path)) keepAlso(path, aside);
    // Only where the log could not be written back. To the new database, it would be a log of its own.
    for (const [index, name] of storeFiles(path).entries()) {
      if (index > 0 && existsSync(name)) renameSync(name, storeFiles(aside)[index] ?? aside);
    }
    syncDirectory(dirname(path));
    renameSync(replacement, path);
    syncDirectory(dirname(path));
    return isThere ? aside : null;
  } catch (error) {
    throw refusalOf(error, path);
  }
}

/** Writes a log back into its database, if that is one still. */
function emptyLog(path: string): void {
  // SQLite throws the log of an empty database away, and with it the last traces of a lost one.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  try {
    const db = new Database(path, { fileMustExist: true });
    try {
      db.pragma("wal_checkpoint(TRUNCATE)");
    } finally {
      db.close();
    }
  } catch {
    // It is corrupt, or another's: both files are kept as they are.
  }
}

/** Under both names, so that there is a moment without a store only where a file can't have two names. */
function keepAlso(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    renameSync(path, aside);
  }
}
