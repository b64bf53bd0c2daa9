import { blob, check, index, integer, sql, sqliteTable, text } from "./drizzle.ts";

/*
 * The tables. Migrations are generated from this by drizzle-kit and then edited: its language has neither STRICT nor
 * WITHOUT ROWID (drizzle/sqlite). Text compares by bytes (BINARY, SQLite's default). Lists and maps are JSON, as
 * nothing is searched inside them. Times are milliseconds since the epoch.
 */

export const apis = sqliteTable("apis", {
  id: text().primaryKey(),
  display_name: text().notNull(),
  token_prefix: text().notNull().unique(),
  environments: text().notNull(),
  scopes: text().notNull(),
  route_rules: text().notNull(),
  default_ttl: integer(),
  default_rate_limits: text().notNull(),
  imported_token_shapes: text().notNull(),
  create_time: integer().notNull(),
  update_time: integer().notNull(),
  revision: integer().notNull(),
});

export const keys = sqliteTable(
  "keys",
  {
    id: text().primaryKey(),
    api: text()
      .notNull()
      .references(() => apis.id),
    environment: text().notNull(),
    owner: text().notNull(),
    display_name: text().notNull(),
    scopes: text().notNull(),
    allowed_cidrs: text().notNull(),
    rate_limits: text().notNull(),
    metadata: text().notNull(),
    state: text().notNull(),
    expire_time: integer(),
    generation: integer().notNull(),
    hint: text().notNull(),
    previous_hint: text(),
    previous_expire_time: integer(),
    create_time: integer().notNull(),
    update_time: integer().notNull(),
    revoke_time: integer(),
    revision: integer().notNull(),
  },
  (key) => [
    // Each page of a listing is one range of one index, however many keys there are; also what HAS_KEYS asks.
    index("keys_by_api_environment").on(key.api, key.environment, key.id),
    index("keys_by_api").on(key.api, key.id),
    index("keys_by_owner").on(key.owner, key.id),
    // Few keys are not active, so this one is small, and active ones need none.
    index("keys_not_active").on(key.state, key.id).where(sql`state <> 'ACTIVE'`),
    check("keys_state", sql`state IN ('ACTIVE', 'DISABLED', 'REVOKED')`),
    check("keys_generation", sql`generation >= 1`),
    check("keys_previous", sql`(previous_hint IS NULL) = (previous_expire_time IS NULL)`),
  ],
);

/** Rows are never changed. WITHOUT ROWID: finding one is one descent of one tree. */
export const tokens = sqliteTable(
  "tokens",
  {
    digest: blob({ mode: "buffer" }).primaryKey(),
    key_id: text()
      .notNull()
      .references(() => keys.id),
    pepper_id: text()
      .notNull()
      .references(() => peppers.id),
    generation: integer().notNull(),
  },
  () => [check("tokens_digest", sql`length(digest) = 32`), check("tokens_generation", sql`generation >= 1`)],
);

/** Every pepper that a stored token was ever digested with, so that nobody has to look through the tokens. */
export const peppers = sqliteTable("peppers", { id: text().primaryKey() });

/** The change log: one row for each committed change, the newest ones. */
export const changes = sqliteTable(
  "changes",
  {
    revision: integer().primaryKey({ autoIncrement: true }),
    kind: text().notNull(),
    record_id: text().notNull(),
    adds_token: integer().notNull(),
  },
  () => [
    check("changes_kind", sql`kind IN ('api', 'key')`),
    check("changes_adds_token", sql`adds_token IN (0, 1)`),
  ],
);

export const servedRequests = sqliteTable(
  "served_requests",
  {
    request_id: text().primaryKey(),
    fingerprint: text().notNull(),
    key_id: text()
      .notNull()
      .references(() => keys.id),
    time: integer().notNull(),
  },
  (served) => [index("served_requests_by_time").on(served.time)],
);
