import { codeOf, refusalOf } from "../adapters/sqlite/refusal.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { refused } from "./refused.ts";

interface Places {
  /** The database that is copied. */
  readonly from: string;
  readonly to: string;
}

/** Why a file could not be copied, in words; anything that nobody foresaw is given back as it is. */
export function copyRefusal(error: unknown, { from, to }: Places): unknown {
  if (error instanceof KeywardenError)
    return error.reason === "STORE_DISK_FULL" ? diskFull(to, error) : error;
  const code = codeOf(error);
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code)) return diskFull(to, error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return refusalOf(error, from);
  if (code === "EEXIST") return alreadyThere(to, error);
  if (!/^(SQLITE_|E[A-Z]+$)/.test(code)) return error;
  return refused(
    "COPY_NOT_WRITTEN",
    `${to} could not be written (${code}): check that its directory exists and that you may write there`,
    error,
  );
}

export function diskFull(to: string, cause?: unknown): KeywardenError {
  return refused(
    "COPY_DISK_FULL",
    `there is no room for ${to} on its disk: free some, or choose another`,
    cause,
  );
}

export function alreadyThere(to: string, cause?: unknown): KeywardenError {
  return refused(
    "COPY_EXISTS",
    `${to} exists already: choose another name, or say --force to replace it`,
    cause,
  );
}
