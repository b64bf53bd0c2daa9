import type { Database } from "better-sqlite3";
import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { firstIdOf, type KeyId } from "../../domain/key.ts";
import { SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type { AdminReads, KeyFilter } from "../../ports/store.ts";
import { and, asc, drizzle, eq, getTableColumns, gt, sql } from "./drizzle.ts";
import { asked } from "./reading.ts";
import { apis, keys, servedRequests } from "./schema.ts";
import { lastChangeSql, type SealedReader } from "./sealed-reader.ts";

interface AdminReadsOptions {
  readonly rows: SealedReader;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the administration reads, on a reader's connection. */
export function createAdminReads(client: Database, { rows, now }: AdminReadsOptions): AdminReads {
  const db = drizzle({ client });
  // Prepared, as each change of a record reads it first: building such a query costs more than asking it.
  const given = sql.placeholder("id");
  const apiColumns = { ...getTableColumns(apis), last_change: lastChange("apis") };
  const keyColumns = { ...getTableColumns(keys), last_change: lastChange("keys") };
  const apiById = db.select(apiColumns).from(apis).where(eq(apis.id, given)).prepare();
  const keyById = db.select(keyColumns).from(keys).where(eq(keys.id, given)).prepare();
  const keyOfApi = client.prepare("SELECT 1 FROM keys WHERE api = ? LIMIT 1");
  const servedById = db.select().from(servedRequests).where(eq(servedRequests.request_id, given)).prepare();

  return {
    getApi: async (id) =>
      asked(() => {
        const row = apiById.get({ id });
        return row === undefined ? undefined : rows.api(row);
      }),

    listApis: async (after, limit) =>
      asked(() => {
        const found = db
          .select(apiColumns)
          .from(apis)
          .where(gt(apis.id, after))
          .orderBy(asc(apis.id))
          .limit(limit)
          .all();
        return found.map((row) => rows.api(row));
      }),

    getKey: async (id) =>
      asked(() => {
        const row = keyById.get({ id });
        return row === undefined ? undefined : rows.key(row);
      }),

    listKeys: async (filter, after, limit) =>
      asked(() => {
        const where = and(...conditionsOf(filter, after));
        const found = db
          .select(keyColumns)
          .from(keys)
          .where(where)
          .orderBy(indexFor(filter) === "expiry" ? sql`+${keys.id}` : asc(keys.id))
          .limit(limit)
          .all();
        return found.map((row) => rows.key(row));
      }),

    hasKeys: async (api) => asked(() => keyOfApi.get(api) !== undefined),

    trustedKeys: async (api) =>
      asked(() => {
        const found = db.select(keyColumns).from(keys).where(eq(keys.api, api)).orderBy(asc(keys.id)).all();
        return found.flatMap((row) => rows.ifTrusted(() => rows.key(row)) ?? []);
      }),

    getServedRequest: async (requestId) =>
      asked(() => {
        const row = servedById.get({ id: requestId });
        if (row === undefined || row.time <= now() - SERVED_REQUEST_LIFETIME) return undefined;
        const { fingerprint, time } = row;
        return { requestId: row.request_id, fingerprint, keyId: row.key_id as KeyId, time };
      }),
  };
}

/**
 * SQLite uses one index for a listing, and without statistics it may choose one that has to be read to its end.
 * So what is most selective says which: the owner, else a state that few keys are in, else the time of expiry, else the
 * API. The others are hidden from the choice by a unary plus (sqlite.org/optoverview.html).
 */
function conditionsOf(filter: KeyFilter, after: string): readonly SQL[] {
  const { api, environment, owner, state } = filter;
  const index = indexFor(filter);
  return [
    index === "expiry" ? sql`+${keys.id} > ${after}` : gt(keys.id, after),
    owner !== undefined && eq(keys.owner, owner),
    // The term of the partial index, as it stands there: else SQLite can't know that the index is enough.
    index === "state" && sql`state <> 'ACTIVE'`,
    state !== undefined && equal(keys.state, state, index === "state"),
    api !== undefined && equal(keys.api, api, index === "api"),
    environment !== undefined && equal(keys.environment, environment, index === "api"),
    ...searchConditions(filter, index === "expiry"),
  ].filter((condition) => condition !== false);
}

function indexFor({ owner, state, expiringBefore }: KeyFilter): "owner" | "state" | "expiry" | "api" {
  if (owner !== undefined) return "owner";
  if (state !== undefined && state !== "ACTIVE") return "state";
  return expiringBefore === undefined ? "api" : "expiry";
}

function searchConditions({ expiringBefore, grants, prefix, unusedSince }: KeyFilter, isIndexed: boolean) {
  const expireTime = isIndexed ? sql`${keys.expire_time}` : sql`+${keys.expire_time}`;
  const name = sql`substr(${keys.display_name}, 1, length(${prefix}))`;
  return [
    expiringBefore !== undefined && sql`${expireTime} < ${expiringBefore}`,
    grants !== undefined &&
      sql`EXISTS (SELECT 1 FROM json_each(${keys.scopes}) WHERE value IN (SELECT value FROM json_each(${JSON.stringify(grants)})))`,
    unusedSince !== undefined &&
      // An import has create_time from where the key was issued: only the id says since when it is here.
      sql`(+${keys.id} < ${firstIdOf(unusedSince)} AND NOT EXISTS (SELECT 1 FROM last_uses WHERE key_id = ${keys.id} AND time >= ${unusedSince}))`,
    prefix !== undefined &&
      sql`(${name} = ${prefix} COLLATE NOCASE OR substr(${keys.hint}, 1, length(${prefix})) = ${prefix})`,
  ];
}

function equal(column: SQLiteColumn, value: string, isIndexed: boolean): SQL {
  return isIndexed ? eq(column, value) : sql`+${column} = ${value}`;
}

function lastChange(table: "apis" | "keys"): SQL<number | null> {
  return sql<number | null>`${sql.raw(lastChangeSql(table))}`;
}
