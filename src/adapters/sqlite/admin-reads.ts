import type { Database } from "better-sqlite3";
import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { PepperId } from "../../domain/digest.ts";
import type { KeyId } from "../../domain/key.ts";
import { SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type { AdminReads, KeyFilter } from "../../ports/store.ts";
import { and, asc, drizzle, eq, gt, sql } from "./drizzle.ts";
import { asked, decoded } from "./reading.ts";
import { decodeApi, decodeKey } from "./rows.ts";
import { apis, keys, peppers, servedRequests } from "./schema.ts";

interface AdminReadsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the administration reads, on a reader's connection. */
export function createAdminReads(client: Database, { now }: AdminReadsOptions): AdminReads {
  const db = drizzle({ client });
  // Prepared, as each change of a record reads it first: building such a query costs more than asking it.
  const given = sql.placeholder("id");
  const apiById = db.select().from(apis).where(eq(apis.id, given)).prepare();
  const keyById = db.select().from(keys).where(eq(keys.id, given)).prepare();
  const servedById = db.select().from(servedRequests).where(eq(servedRequests.request_id, given)).prepare();

  return {
    getApi: async (id) =>
      asked(() => {
        const row = apiById.get({ id });
        return row === undefined ? undefined : decoded(`API ${row.id}`, () => decodeApi(row));
      }),

    listApis: async (after, limit) =>
      asked(() => {
        const rows = db
          .select()
          .from(apis)
          .where(gt(apis.id, after))
          .orderBy(asc(apis.id))
          .limit(limit)
          .all();
        return rows.map((row) => decoded(`API ${row.id}`, () => decodeApi(row)));
      }),

    getKey: async (id) =>
      asked(() => {
        const row = keyById.get({ id });
        return row === undefined ? undefined : decoded(`key ${row.id}`, () => decodeKey(row));
      }),

    listKeys: async (filter, after, limit) =>
      asked(() => {
        const where = and(...conditionsOf(filter), gt(keys.id, after));
        const rows = db.select().from(keys).where(where).orderBy(asc(keys.id)).limit(limit).all();
        return rows.map((row) => decoded(`key ${row.id}`, () => decodeKey(row)));
      }),

    getServedRequest: async (requestId) =>
      asked(() => {
        const row = servedById.get({ id: requestId });
        if (row === undefined || row.time <= now() - SERVED_REQUEST_LIFETIME) return undefined;
        const { fingerprint, time } = row;
        return { requestId: row.request_id, fingerprint, keyId: row.key_id as KeyId, time };
      }),

    pepperIds: async () =>
      asked(() =>
        db
          .select()
          .from(peppers)
          .all()
          .map(({ id }) => id as PepperId),
      ),
  };
}

/**
 * SQLite uses one index for a listing, and without statistics it may choose one that has to be read to its end.
 * So what is most selective says which: the owner, else a state that few keys are in, else the API. The others
 * are hidden from the choice by a unary plus (sqlite.org/optoverview.html).
 */
function conditionsOf({ api, environment, owner, state }: KeyFilter): readonly SQL[] {
  const byOwner = owner !== undefined;
  const byState = !byOwner && state !== undefined && state !== "ACTIVE";
  const byApi = !byOwner && !byState;
  const conditions: SQL[] = [];
  if (byOwner) conditions.push(eq(keys.owner, owner));
  // The term of the partial index, as it stands there: else SQLite can't know that the index is enough.
  if (byState) conditions.push(sql`state <> 'ACTIVE'`);
  if (state !== undefined) conditions.push(byState ? eq(keys.state, state) : unindexed(keys.state, state));
  if (api !== undefined) conditions.push(byApi ? eq(keys.api, api) : unindexed(keys.api, api));
  if (environment !== undefined) {
    conditions.push(byApi ? eq(keys.environment, environment) : unindexed(keys.environment, environment));
  }
  return conditions;
}

function unindexed(column: SQLiteColumn, value: string): SQL {
  return sql`+${column} = ${value}`;
}
