import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { knownMigrations, migrationsOf } from "./migrations.ts";
import { refusal } from "./refusal.ts";

/** "KWDN", in the database's header: this file is Keywarden's. */
export const APPLICATION_ID = 0x4b57444e;

/** Where the parts of a database's header are, in bytes (sqlite.org/fileformat.html, section 1.3). */
const HEADER = {
  size: 100,
  pageSize: 16,
  changeCounter: 24,
  pageCount: 28,
  applicationId: 68,
  countedAt: 92,
};
const MAGIC = Buffer.from("SQLite format 3\0");

/**
 * Looks at the file's first bytes and its size, so that nothing appears beside a file that may not be ours. Throws a
 * refusal (STORE_CORRUPT, STORE_FOREIGN) or the operating system's error. A missing or an empty file is fine.
 */
export function inspectHeader(path: string): void {
  const size = sizeOf(path);
  if (size === 0) {
    // SQLite would throw the log away, and with it the last traces of a lost database.
    if (hasLog(path)) throw refusal("STORE_CORRUPT", path, new Error(`it is empty, but ${path}-wal is not`));
    return;
  }
  const header = firstBytes(path);
  if (size < HEADER.size || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw refusal("STORE_CORRUPT", path, new Error("it does not begin like an SQLite database"));
  }
  // It was written before the database had a log, so it is always in the file itself.
  if (header.readUInt32BE(HEADER.applicationId) !== APPLICATION_ID) throw refusal("STORE_FOREIGN", path);
  // Unless what is missing is still in a log or a journal. SQLite itself does not miss a part of the last page.
  const expected = sizeIn(header);
  if (size < expected && !hasLog(path) && sizeOf(`${path}-journal`) === 0) {
    throw refusal("STORE_CORRUPT", path, new Error(`it has ${size} bytes of ${expected}`));
  }
}

function firstBytes(path: string): Buffer {
  const header = Buffer.alloc(HEADER.size);
  const file = openSync(path, "r");
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header;
}

/** The database's size in bytes as its header has it; 0 if the header does not vouch for that. */
function sizeIn(header: Buffer): number {
  const isCounted = header.readUInt32BE(HEADER.changeCounter) === header.readUInt32BE(HEADER.countedAt);
  // 65,536 does not fit, and is written as 1.
  const pageSize = header.readUInt16BE(HEADER.pageSize);
  return isCounted ? header.readUInt32BE(HEADER.pageCount) * (pageSize === 1 ? 65_536 : pageSize) : 0;
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

export function hasLog(path: string): boolean {
  return sizeOf(`${path}-wal`) > 0;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
