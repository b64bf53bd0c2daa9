import type { Database } from "better-sqlite3";
import type { SecretUse } from "../../domain/keyring.ts";
import type { UsedSecrets } from "./sqlite-store.ts";

/** The secrets that records were ever made with. */
export function storedIds(db: Database): UsedSecrets {
  const ids = <Id extends string>(table: "peppers" | "seal_keys") =>
    db.prepare<[], Id>(`SELECT id FROM ${table}`).pluck().all();
  return { pepperIds: ids("peppers"), sealKeyIds: ids("seal_keys") };
}

/** How many tokens are digested with each pepper, and how many records sealed with each seal key. */
export function secretUses(db: Database): readonly SecretUse[] {
  return db
    .prepare<[], SecretUse>(
      `SELECT 'pepper' AS kind, pepper_id AS id, count(*) AS records FROM tokens GROUP BY 2
      UNION ALL
      SELECT 'seal-key', lower(hex(name)), count(*) FROM (
        SELECT substr(seal, 1, 4) AS name FROM apis
        UNION ALL SELECT substr(seal, 1, 4) FROM keys
        UNION ALL SELECT substr(seal, 1, 4) FROM tokens
        UNION ALL SELECT substr(seal, 1, 4) FROM audit_head
      ) GROUP BY 2
      ORDER BY 1, 2`,
    )
    .all();
}
