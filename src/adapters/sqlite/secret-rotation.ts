import type { Database } from "better-sqlite3";
import type { Sealer, SealKeyId } from "../../domain/seal.ts";
import type { RenewedDigest } from "../../ports/store.ts";
import { isSealed, type Row, type SealedTable, sealed } from "./sealed-rows.ts";

/** Rows that are looked at in one transaction: changes wait for no more than these. */
const ROWS = 500;

/** The tables whose rows are sealed, and what each is ordered by. The audit's head is sealed with every change. */
const TABLES: readonly { readonly table: SealedTable; readonly key: string }[] = [
  { table: "apis", key: "id" },
  { table: "keys", key: "id" },
  { table: "tokens", key: "digest" },
];

/** How far a pass over all records has come. */
export interface SealingProgress {
  readonly looked: number;
  readonly total: number;
}

interface SealedAnew extends SealingProgress {
  /** The seals of APIs and keys that are not there any more, and those in their place. */
  readonly gone: readonly unknown[];
  readonly added: readonly unknown[];
}

/** Puts current secrets in place of former ones, bit by bit. Each call is to be made within a transaction of its own. */
export interface SecretRotation {
  /** Is there a record that may have been sealed with a former key? */
  needsSealing(): boolean;
  /** Seals the next records anew. Undefined: that was the last of them. A record whose seal is broken stays as it is. */
  sealSome(): SealedAnew | undefined;
  /** Puts new digests in place of old ones; gives how many were there. */
  redigest(tokens: readonly RenewedDigest[]): number;
  /** Forgets the names of secrets that nothing stored was made with any more. */
  forgetUnused(): void;
}

export function createSecretRotation(db: Database, sealer: Sealer, current: SealKeyId): SecretRotation {
  const steps = TABLES.map(({ table, key }) => ({
    table,
    key,
    next: db.prepare<[unknown], Row>(`SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${ROWS}`),
    write: db.prepare(`UPDATE ${table} SET seal = @seal WHERE ${key} = @${key}`),
    count: db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck(),
  }));
  const others = db.prepare<[string], number>("SELECT count(*) FROM seal_keys WHERE id <> ?").pluck();
  const tokenOf = db.prepare<[Buffer], Row>("SELECT * FROM tokens WHERE digest = ?");
  const deleteToken = db.prepare("DELETE FROM tokens WHERE digest = ?");
  const insertPepper = db.prepare("INSERT OR IGNORE INTO peppers (id) VALUES (?)");
  const insertToken = db.prepare(
    `INSERT OR IGNORE INTO tokens (digest, key_id, pepper_id, generation, seal)
    VALUES (@digest, @key_id, @pepper_id, @generation, @seal)`,
  );
  let step = 0;
  let after: unknown;
  let looked = 0;
  let total: number | undefined;

  const isFormer = (table: SealedTable, row: Row) =>
    row["seal"] instanceof Uint8Array && sealer.isFormer(row["seal"]) && isSealed(sealer, table, row);

  return {
    needsSealing: () => (others.get(current) ?? 0) > 0,

    sealSome() {
      total ??= steps.reduce((sum, { count }) => sum + (count.get() ?? 0), 0);
      const place = steps[step];
      if (place === undefined) return undefined;
      const { table, key, next, write } = place;
      const rows = next.all(after ?? (key === "digest" ? Buffer.alloc(0) : ""));
      const former = rows.filter((row) => isFormer(table, row));
      const anew = former.map((row) => sealed(sealer, table, row));
      for (const row of anew) write.run(row);
      looked += rows.length;
      after = rows.at(-1)?.[key];
      if (rows.length < ROWS) {
        step++;
        after = undefined;
      }
      const isSummed = table !== "tokens";
      return {
        looked,
        total,
        gone: isSummed ? former.map(({ seal }) => seal) : [],
        added: isSummed ? anew.map(({ seal }) => seal) : [],
      };
    },

    redigest(tokens) {
      let count = 0;
      for (const { from, to, pepperId } of tokens) {
        const old = tokenOf.get(Buffer.from(from, "latin1"));
        if (old === undefined || !isSealed(sealer, "tokens", old)) continue;
        insertPepper.run(pepperId);
        insertToken.run(
          sealed(sealer, "tokens", { ...old, digest: Buffer.from(to, "latin1"), pepper_id: pepperId }),
        );
        deleteToken.run(old["digest"]);
        count++;
      }
      return count;
    },

    forgetUnused: () => forgetUnusedSecrets(db, current),
  };
}

/**
 * Forgets the names of secrets that nothing stored was made with; looks at everything stored, if there is more than one
 * name of a kind. `current`: the seal key whose name stays in any case.
 */
export function forgetUnusedSecrets(db: Database, current: SealKeyId | ""): void {
  const count = (table: string) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  if (count("peppers") > 1) {
    db.exec("DELETE FROM peppers WHERE id NOT IN (SELECT DISTINCT pepper_id FROM tokens)");
  }
  if (count("seal_keys") > 1) {
    const used = ["apis", "keys", "tokens", "audit_head"]
      .map((table) => `SELECT lower(hex(substr(seal, 1, 4))) FROM ${table}`)
      .join(" UNION ");
    db.prepare(`DELETE FROM seal_keys WHERE id <> ? AND id NOT IN (${used})`).run(current);
  }
}
