import { sql } from "drizzle-orm";
import { blob, check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/*
 * The tables. Migrations are generated from this by drizzle-kit and then edited: its language has neither STRICT nor
 * WITHOUT ROWID (drizzle/sqlite). Text compares by bytes (BINARY, SQLite's default). Lists and maps are JSON, as
 * nothing is searched inside them. Times are milliseconds since the epoch.
 */

export const apis = sqliteTable("apis", {
  id: text("id").primaryKey(),
  displayName: text("display_name").notNull(),
  tokenPrefix: text("token_prefix").notNull().unique(),
  environments: text("environments").notNull(),
  scopes: text("scopes").notNull(),
  routeRules: text("route_rules").notNull(),
  defaultTtl: integer("default_ttl"),
  defaultRateLimits: text("default_rate_limits").notNull(),
  importedTokenShapes: text("imported_token_shapes").notNull(),
  createTime: integer("create_time").notNull(),
  updateTime: integer("update_time").notNull(),
  revision: integer("revision").notNull(),
});

export const keys = sqliteTable(
  "keys",
  {
    id: text("id").primaryKey(),
    api: text("api")
      .notNull()
      .references(() => apis.id),
    environment: text("environment").notNull(),
    owner: text("owner").notNull(),
    displayName: text("display_name").notNull(),
    scopes: text("scopes").notNull(),
    allowedCidrs: text("allowed_cidrs").notNull(),
    rateLimits: text("rate_limits").notNull(),
    metadata: text("metadata").notNull(),
    state: text("state").notNull(),
    expireTime: integer("expire_time"),
    generation: integer("generation").notNull(),
    hint: text("hint").notNull(),
    previousHint: text("previous_hint"),
    previousExpireTime: integer("previous_expire_time"),
    createTime: integer("create_time").notNull(),
    updateTime: integer("update_time").notNull(),
    revokeTime: integer("revoke_time"),
    revision: integer("revision").notNull(),
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
    digest: blob("digest", { mode: "buffer" }).primaryKey(),
    keyId: text("key_id")
      .notNull()
      .references(() => keys.id),
    pepperId: text("pepper_id")
      .notNull()
      .references(() => peppers.id),
    generation: integer("generation").notNull(),
  },
  () => [check("tokens_digest", sql`length(digest) = 32`), check("tokens_generation", sql`generation >= 1`)],
);

/** Every pepper that a stored token was ever digested with, so that nobody has to look through the tokens. */
export const peppers = sqliteTable("peppers", { id: text("id").primaryKey() });

/** The change log: one row for each committed change, the newest ones. */
export const changes = sqliteTable(
  "changes",
  {
    revision: integer("revision").primaryKey({ autoIncrement: true }),
    kind: text("kind").notNull(),
    recordId: text("record_id").notNull(),
    addsToken: integer("adds_token").notNull(),
  },
  () => [
    check("changes_kind", sql`kind IN ('api', 'key')`),
    check("changes_adds_token", sql`adds_token IN (0, 1)`),
  ],
);

export const servedRequests = sqliteTable(
  "served_requests",
  {
    requestId: text("request_id").primaryKey(),
    fingerprint: text("fingerprint").notNull(),
    keyId: text("key_id")
      .notNull()
      .references(() => keys.id),
    time: integer("time").notNull(),
  },
  (served) => [index("served_requests_by_time").on(served.time)],
);
