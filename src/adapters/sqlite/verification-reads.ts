import type { Database } from "better-sqlite3";
import type { Api } from "../../domain/api.ts";
import type { Digest } from "../../domain/digest.ts";
import type { FoundToken, Freshness, VerificationReads } from "../../ports/store.ts";
import { createChangeReader, trustedEnd } from "./change-reader.ts";
import { asked } from "./reading.ts";
import { unavailable } from "./refusal.ts";
import { lastChangeSql, type SealedApiRow, type SealedKeyRow, type SealedReader } from "./sealed-reader.ts";
import { createEndReader } from "./stored-end-reader.ts";
import { integer } from "./stored-values.ts";

type TokenRow = SealedKeyRow & {
  readonly digest: Buffer;
  readonly pepper_id: string;
  readonly token_generation: number;
  readonly token_seal: Buffer;
};

/** What verifications read, by prepared statements on a reader's connection. */
export function createVerificationReads(db: Database, rows: SealedReader): Freshness & VerificationReads {
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  const changesSince = createChangeReader(db, rows);
  const storedEnd = createEndReader(db, rows);
  // One statement for groups of any size: within 5 % of IN lists of 8 and 32 parameters, and nothing to pad.
  const tokensAmong = db.prepare<[string], TokenRow>(
    `SELECT t.digest, t.pepper_id, t.generation AS token_generation, t.seal AS token_seal, k.*,
      ${lastChangeSql("k")} AS last_change
    FROM json_each(?) AS asked
    CROSS JOIN tokens AS t ON t.digest = unhex(asked.value)
    JOIN keys AS k ON k.id = t.key_id`,
  );
  const everyApi = db.prepare<[], SealedApiRow>(
    `SELECT *, ${lastChangeSql("apis")} AS last_change FROM apis ORDER BY id`,
  );

  return {
    version() {
      const version = asked(() => dataVersion.get());
      if (version === undefined) throw unavailable("the store does not tell its version");
      return version;
    },

    changesSince: async (revision) => asked(() => changesSince(revision)),

    findTokens: async (digests) =>
      asked(() => {
        // First the revision: a change that is committed between the two statements is then in the value and not
        // in the revision, which is what a lower bound may be. The other way round it would claim a change that
        // the value does not have, and a revoked key could stay in a cache.
        const revision = trustedEnd(storedEnd()).revision;
        const hex = digests.map((digest) => Buffer.from(digest, "latin1").toString("hex"));
        const value: FoundToken[] = [];
        for (const row of tokensAmong.all(JSON.stringify(hex))) {
          const found = rows.ifTrusted(() => {
            refuseUnlessSealed(row);
            return {
              digest: row.digest.toString("latin1") as Digest,
              generation: integer("generation", row.token_generation),
              key: rows.key(row),
            };
          });
          if (found !== undefined) value.push(found);
        }
        return { revision, value };
      }),

    allApis: async () =>
      asked(() => {
        const revision = trustedEnd(storedEnd()).revision;
        const value: Api[] = [];
        for (const row of everyApi.all()) {
          const api = rows.ifTrusted(() => rows.api(row));
          if (api !== undefined) value.push(api);
        }
        return { revision, value };
      }),
  };

  function refuseUnlessSealed(row: TokenRow): void {
    const { digest, pepper_id, token_generation: generation, token_seal: seal } = row;
    const token = { digest, key_id: row.id, pepper_id, generation, seal };
    rows.refuseUnlessSealed("tokens", token, `token of key ${row.id}`);
  }
}
