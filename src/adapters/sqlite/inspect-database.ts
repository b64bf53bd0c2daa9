import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { knownMigrations, migrationsOf } from "./migrations.ts";
import { refusal } from "./refusal.ts";

/** "KWDN", in the database's header: this file is Keywarden's. */
export const APPLICATION_ID = 0x4b57444e;

/** The parts of a database's header that say what it is (sqlite.org/fileformat.html, section 1.3). */
const HEADER = { size: 100, magic: Buffer.from("SQLite format 3\0"), applicationIdAt: 68 } as const;

/**
 * Looks at the file's first bytes, so that nothing appears beside a file that may not be ours. Throws a refusal
 * (STORE_CORRUPT, STORE_FOREIGN) or the operating system's error. A missing or an empty file is fine.
 */
export function inspectHeader(path: string): void {
  if (sizeOf(path) === 0) {
    // SQLite would throw the log away, and with it the last traces of a lost database.
    if (hasLog(path)) throw refusal("STORE_CORRUPT", path, new Error(`it is empty, but ${path}-wal is not`));
    return;
  }
  const header = Buffer.alloc(HEADER.size);
  const file = openSync(path, "r");
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  if (!header.subarray(0, HEADER.magic.length).equals(HEADER.magic)) throw refusal("STORE_CORRUPT", path);
  // It was written before the database had a log, so it is always in the file itself.
  if (header.readUInt32BE(HEADER.applicationIdAt) !== APPLICATION_ID) throw refusal("STORE_FOREIGN", path);
}

/**
 * Throws STORE_NEWER_SCHEMA if another build has changed the schema in a way that this one does not know, and
 * what SQLite throws if the database can't be read. A missing or an empty file is fine.
 */
export function inspectSchema(path: string): void {
  if (sizeOf(path) === 0) return;
  // If there is something in the log, a connection that could write would bring it into the database when it
  // closes. If there is nothing, one that can't write would leave an empty log behind.
  const db = new Database(path, { readonly: hasLog(path), fileMustExist: true });
  try {
    const known = knownMigrations();
    if (migrationsOf(db).some((made) => !known.has(made))) throw refusal("STORE_NEWER_SCHEMA", path);
  } finally {
    db.close();
  }
}

function hasLog(path: string): boolean {
  return sizeOf(`${path}-wal`) > 0;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
