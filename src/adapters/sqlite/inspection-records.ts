import { setImmediate } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { Sealer, type SealKey } from "../../domain/seal.ts";
import type { OnProgress, StoreContent } from "../../domain/store-care.ts";
import { decodeApi, decodeKey } from "./rows.ts";
import { lastChangeSql, type SealedApiRow, type SealedKeyRow } from "./sealed-reader.ts";
import { isSealed, type Row, type SealedTable } from "./sealed-rows.ts";

/** How many of a kind there are, and the first of them. */
export interface Sample {
  readonly count: number;
  readonly shown: readonly string[];
}

/** What is wrong with records, each as `key <id>`. */
export interface RecordProblems {
  readonly seals: number;
  /** Not what Keywarden wrote. */
  readonly broken: Sample;
  /** What Keywarden wrote once, and not what it wrote last. */
  readonly stale: Sample;
  /** Sealed, and yet not readable. */
  readonly unreadable: Sample;
}

const MOST_SHOWN = 20;
/** Rows between two looks at what else there is to do, such as an interruption. */
const PART = 5_000;

class Collection {
  #count = 0;
  readonly #shown: string[] = [];

  add(name: string): void {
    if (this.#count++ < MOST_SHOWN) this.#shown.push(name);
  }

  get sample(): Sample {
    return { count: this.#count, shown: this.#shown };
  }
}

export function contentOf(db: Database): StoreContent {
  const count = (table: string) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  return {
    apis: count("apis"),
    keys: count("keys"),
    tokens: count("tokens"),
    auditEvents: count("audit_events"),
  };
}

/** Looks at every record: at its seal, and whether it is the newest. */
export async function recordProblems(
  db: Database,
  sealKeys: readonly SealKey[],
  onProgress: OnProgress,
): Promise<RecordProblems> {
  const sealer = new Sealer(sealKeys);
  const [broken, stale, unreadable] = [new Collection(), new Collection(), new Collection()];
  const { apis, keys, tokens } = contentOf(db);
  const total = apis + keys + tokens;
  let done = 0;

  const each = async <Found extends Row>(sql: string, look: (row: Found) => void) => {
    for (const row of db.prepare<[], Found>(sql).iterate()) {
      look(row);
      if (++done % PART !== 0) continue;
      onProgress({ step: "checking seals", done, total, unit: "records" });
      await setImmediate();
    }
  };
  const sealedAs = (table: SealedTable, row: Row, name: string): boolean => {
    if (isSealed(sealer, table, row)) return true;
    broken.add(name);
    return false;
  };
  const record = (
    table: "apis" | "keys",
    row: SealedApiRow | SealedKeyRow,
    name: string,
    decode: () => void,
  ) => {
    if (!sealedAs(table, { ...row }, name)) return;
    if (row.revision !== row.last_change) stale.add(name);
    else if (!succeeds(decode)) unreadable.add(name);
  };

  await each<SealedApiRow & Row>(`SELECT *, ${lastChangeSql("apis")} AS last_change FROM apis`, (row) =>
    record("apis", row, `API ${row.id}`, () => decodeApi(row)),
  );
  await each<SealedKeyRow & Row>(`SELECT *, ${lastChangeSql("keys")} AS last_change FROM keys`, (row) =>
    record("keys", row, `key ${row.id}`, () => decodeKey(row)),
  );
  await each<Row & { readonly key_id: string }>("SELECT * FROM tokens", (row) =>
    sealedAs("tokens", row, `token of key ${row.key_id}`),
  );
  return { seals: done, broken: broken.sample, stale: stale.sample, unreadable: unreadable.sample };
}

/** Records of which the audit knows, and that are not there; keys without the token that counts. */
export function missingRecords(db: Database): { readonly records: Sample; readonly tokens: Sample } {
  const records = sampleOf(
    db,
    `SELECT 'key ' || record_id FROM audit_events
    WHERE record_kind = 'key' AND record_id NOT IN (SELECT id FROM keys) GROUP BY record_id
    UNION ALL
    SELECT 'API ' || record_id FROM (
      SELECT record_id, action, max(revision) FROM audit_events WHERE record_kind = 'api' GROUP BY record_id
    ) WHERE action <> 'DeleteApi' AND record_id NOT IN (SELECT id FROM apis)`,
  );
  const tokens = sampleOf(
    db,
    `SELECT 'key ' || keys.id FROM keys
    LEFT JOIN tokens ON tokens.key_id = keys.id AND tokens.generation = keys.generation
    WHERE tokens.digest IS NULL AND keys.state <> 'REVOKED'`,
  );
  return { records, tokens };
}

/** Milliseconds since the epoch: the latest time that any record or event was written at. */
export function newestTime(db: Database): number {
  return (
    db
      .prepare<[], number>(
        `SELECT max(
          coalesce((SELECT max(time) FROM audit_events), 0),
          coalesce((SELECT max(max(create_time, update_time)) FROM keys), 0),
          coalesce((SELECT max(max(create_time, update_time)) FROM apis), 0)
        )`,
      )
      .pluck()
      .get() ?? 0
  );
}

function sampleOf(db: Database, sql: string): Sample {
  const found = new Collection();
  for (const name of db.prepare<[], string>(sql).pluck().iterate()) found.add(name);
  return found.sample;
}

function succeeds(read: () => void): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
