import type { Database } from "better-sqlite3";
import type { Api } from "../../domain/api.ts";
import type { Digest } from "../../domain/digest.ts";
import type { Revision } from "../../domain/revision.ts";
import { changesBetween } from "../../ports/change-log.ts";
import type { FoundToken, Freshness, VerificationReads } from "../../ports/store.ts";
import { asked, decoded } from "./reading.ts";
import { unavailable } from "./refusal.ts";
import { decodeApi, decodeKey } from "./rows.ts";
import type { apis, keys } from "./schema.ts";
import { integer } from "./stored-values.ts";

/** Changes listed at most; whoever is further behind does better to start anew. */
const MOST_CHANGES = 10_000;

type TokenRow = typeof keys.$inferSelect & { readonly digest: Buffer; readonly token_generation: number };

type ApiRow = typeof apis.$inferSelect;

interface ChangeRow {
  readonly kind: "api" | "key";
  readonly record_id: string;
  readonly adds_token: 0 | 1;
}

interface VerificationReadsOptions {
  /** Told of each row that can't be decoded; it is as good as not there. */
  readonly onCorruptRow: (error: unknown) => void;
}

/** What verifications read, by prepared statements on a reader's connection. */
export function createVerificationReads(
  db: Database,
  { onCorruptRow }: VerificationReadsOptions,
): Freshness & VerificationReads {
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  const lastRevision = db.prepare<[], number>("SELECT coalesce(max(revision), 0) FROM changes").pluck();
  const changesIn = db.prepare<[number, number], ChangeRow>(
    "SELECT kind, record_id, adds_token FROM changes WHERE revision > ? AND revision <= ?",
  );
  // One statement for groups of any size: within 5 % of IN lists of 8 and 32 parameters, and nothing to pad.
  const tokensAmong = db.prepare<[string], TokenRow>(
    `SELECT t.digest AS digest, t.generation AS token_generation, k.*
    FROM json_each(?) AS asked
    CROSS JOIN tokens AS t ON t.digest = unhex(asked.value)
    JOIN keys AS k ON k.id = t.key_id`,
  );
  const everyApi = db.prepare<[], ApiRow>("SELECT * FROM apis ORDER BY id");

  const revisionNow = () => (lastRevision.get() ?? 0) as Revision;

  return {
    version() {
      const version = asked(() => dataVersion.get());
      if (version === undefined) throw unavailable("the store does not tell its version");
      return version;
    },

    changesSince: async (revision) =>
      asked(() => {
        const current = revisionNow();
        const rows = current - revision > MOST_CHANGES ? [] : changesIn.all(revision, current);
        return changesBetween(
          revision,
          current,
          rows.map((row) => ({ kind: row.kind, recordId: row.record_id, addsToken: row.adds_token === 1 })),
        );
      }),

    findTokens: async (digests) =>
      asked(() => {
        // First the revision: a change that is committed between the two statements is then in the value and not
        // in the revision, which is what a lower bound may be. The other way round it would claim a change that
        // the value does not have, and a revoked key could stay in a cache.
        const revision = revisionNow();
        const hex = digests.map((digest) => Buffer.from(digest, "latin1").toString("hex"));
        const value: FoundToken[] = [];
        for (const row of tokensAmong.all(JSON.stringify(hex))) {
          const found = decodedOrReported(`key ${row.id}`, () => ({
            digest: row.digest.toString("latin1") as Digest,
            generation: integer("generation", row.token_generation),
            key: decodeKey(row),
          }));
          if (found !== undefined) value.push(found);
        }
        return { revision, value };
      }),

    allApis: async () =>
      asked(() => {
        const revision = revisionNow();
        const value: Api[] = [];
        for (const row of everyApi.all()) {
          const api = decodedOrReported(`API ${row.id}`, () => decodeApi(row));
          if (api !== undefined) value.push(api);
        }
        return { revision, value };
      }),
  };

  /** Undefined: it can't be decoded. That must not fail the others of the group, and is never an allow. */
  function decodedOrReported<Row>(record: string, decode: () => Row): Row | undefined {
    try {
      return decoded(record, decode);
    } catch (error) {
      onCorruptRow(error);
      return undefined;
    }
  }
}
