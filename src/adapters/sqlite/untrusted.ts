import { KeywardenError } from "../../domain/keywarden-error.ts";

/** What somebody has done to the audit: DATA_LOSS (AUDIT_FORGED). */
export function untrusted(what: string): KeywardenError {
  return new KeywardenError({
    status: "DATA_LOSS",
    reason: "AUDIT_FORGED",
    message: `${what}; look closer with keywarden audit verify and keywarden doctor, and find out who can write the database file`,
  });
}

/** Somebody has added to the schema, or taken from it: DATA_LOSS (SCHEMA_ALTERED). */
export function schemaAltered(foreign: readonly string[]): KeywardenError {
  return new KeywardenError({
    status: "DATA_LOSS",
    reason: "SCHEMA_ALTERED",
    message:
      `the schema is not the one that Keywarden made: ${foreign.join(", ")}. Such a thing would act in the server's name: ` +
      "find out who can write the database file, and undo it with an SQLite shell, or restore a backup",
  });
}
