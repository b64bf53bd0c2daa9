import type { Sealer } from "../../domain/seal.ts";

/**
 * The columns that a seal is over: all others, in the order of the schema. A new one goes to the end. Written down here, as
 * the schema's own module takes longer to load than all the rest of a thread.
 */
export const SEALED_COLUMNS = {
  apis: [
    "id",
    "display_name",
    "token_prefix",
    "environments",
    "scopes",
    "route_rules",
    "default_ttl",
    "default_rate_limits",
    "imported_token_shapes",
    "create_time",
    "update_time",
    "revision",
  ],
  keys: [
    "id",
    "api",
    "environment",
    "owner",
    "display_name",
    "scopes",
    "allowed_cidrs",
    "rate_limits",
    "metadata",
    "binding",
    "state",
    "expire_time",
    "generation",
    "hint",
    "previous_hint",
    "previous_expire_time",
    "create_time",
    "update_time",
    "revoke_time",
    "revision",
  ],
  tokens: ["digest", "key_id", "pepper_id", "generation"],
  audit_head: ["id", "revision", "hash", "records", "commits", "is_distrusted"],
} as const;

export type SealedTable = keyof typeof SEALED_COLUMNS;

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

function valuesOf(table: SealedTable, row: Row): readonly (string | number | null)[] {
  return SEALED_COLUMNS[table].map((column) => {
    const value = row[column];
    if (typeof value === "string" || typeof value === "number" || value === null) return value;
    // A digest. Anything else is in no column of ours, and as good as an edit.
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : `?${typeof value}`;
  });
}
