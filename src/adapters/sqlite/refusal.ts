import { KeywardenError } from "../../domain/keywarden-error.ts";

/** Why a store is not opened, and what to do about it. */
const REFUSALS = {
  STORE_CORRUPT: (path: string) =>
    `${path} can't be read as a database: restore it from a backup, or move it away to start with an empty store`,
  STORE_FOREIGN: (path: string) => `${path} belongs to another application: choose another file with --store`,
  SCHEMA_ALTERED: (path: string) =>
    `the schema of ${path} is not the one that Keywarden made: find out who can write the file, and undo it with an SQLite shell, or restore a backup`,
  STORE_NEWER_SCHEMA: (path: string) =>
    `${path} was written by a newer version of Keywarden: start that version, or restore a backup made by this one`,
  STORE_NOT_WRITABLE: (path: string) =>
    `${path} and its directory must be writable: check their owner, their modes and how the disk is mounted`,
  STORE_DISK_FULL: (path: string) =>
    `there is no space left on the disk of ${path}: free some, then start again`,
  STORE_IN_USE: (path: string) =>
    `${path} is in use by another process, such as another Keywarden: stop that one, or choose another file with --store`,
} as const;

export type RefusalReason = keyof typeof REFUSALS;

const REASONS_BY_CODE: readonly (readonly [code: RegExp, reason: RefusalReason])[] = [
  [/^SQLITE_(CORRUPT|NOTADB)/, "STORE_CORRUPT"],
  [
    /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH|IOERR_ACCESS)|EACCES$|EPERM$|EROFS$|EISDIR$|ENOTDIR$|EEXIST$)/,
    "STORE_NOT_WRITABLE",
  ],
  // Sharing memory with readers is the first thing that needs room, and has a code of its own.
  [/^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC$|EDQUOT$)/, "STORE_DISK_FULL"],
  [/^SQLITE_(BUSY|LOCKED)/, "STORE_IN_USE"],
];

/** A refusal to open the store at `path`: FAILED_PRECONDITION. */
export function refusal(reason: RefusalReason, path: string, cause?: unknown): KeywardenError {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason,
    message: `${REFUSALS[reason](path)}${detail}`,
    cause,
  });
}

/** What made opening the store fail, in words; an error that nobody foresaw is UNAVAILABLE. */
export function refusalOf(error: unknown, path: string): KeywardenError {
  if (error instanceof KeywardenError) return error;
  const code = codeOf(error);
  const reason = REASONS_BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
  return reason === undefined ? unavailable(`${path} can't be opened`, error) : refusal(reason, path, error);
}

/** The store could not be asked, or could not do it. */
export function unavailable(what: string, cause?: unknown): KeywardenError {
  const detail = cause instanceof Error ? `: ${cause.message}` : "";
  return new KeywardenError({
    status: "UNAVAILABLE",
    reason: "STORE_UNAVAILABLE",
    message: `${what}${detail}`,
    cause,
  });
}

/** The code of the error, or of what caused it: SQLite's, or the operating system's; empty if there is none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return codeOf(error.cause);
}
