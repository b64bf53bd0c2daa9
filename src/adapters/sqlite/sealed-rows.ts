import type { Sealer } from "../../domain/seal.ts";
import { getTableColumns } from "./drizzle.ts";
import { apis, auditHead, keys, tokens } from "./schema.ts";

export type SealedTable = "apis" | "keys" | "tokens" | "audit_head";

/** The columns that a seal is over: all others, in the order of the schema. A new one goes to the end. */
const SEALED: Readonly<Record<SealedTable, readonly string[]>> = {
  apis: sealedColumns(getTableColumns(apis)),
  keys: sealedColumns(getTableColumns(keys)),
  tokens: sealedColumns(getTableColumns(tokens)),
  audit_head: sealedColumns(getTableColumns(auditHead)),
};

/** By the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** The row with its seal. */
export function sealed<Values extends Row>(
  sealer: Sealer,
  table: SealedTable,
  row: Values,
): Values & { readonly seal: Buffer } {
  return { ...row, seal: sealer.seal(table, valuesOf(table, row)) };
}

/** Is the row what was written? It may be an old one: its revision tells. */
export function isSealed(sealer: Sealer, table: SealedTable, row: Row): boolean {
  return sealer.isSealed(table, valuesOf(table, row), row["seal"]);
}

function sealedColumns(columns: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(columns).filter((column) => column !== "seal");
}

function valuesOf(table: SealedTable, row: Row): readonly (string | number | null)[] {
  return SEALED[table].map((column) => {
    const value = row[column];
    if (typeof value === "string" || typeof value === "number" || value === null) return value;
    // A digest. Anything else is in no column of ours, and as good as an edit.
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : `?${typeof value}`;
  });
}
