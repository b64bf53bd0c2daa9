import { blob, check, index, integer, primaryKey, sql, sqliteTable, text } from "./drizzle.ts";

/*
 * The tables. Migrations are generated from this by drizzle-kit and then edited: its language has neither STRICT nor
 * WITHOUT ROWID (drizzle/sqlite). Text compares by bytes (BINARY, SQLite's default). Lists and maps are JSON, as
 * nothing is searched inside them. Times are milliseconds since the epoch. A `seal` is over the rest of its row.
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
  seal: blob({ mode: "buffer" }).notNull(),
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
    binding: text(),
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
    seal: blob({ mode: "buffer" }).notNull(),
  },
  (key) => [
    // Each page of a listing is one range of one index, however many keys there are; also what HAS_KEYS asks.
    index("keys_by_api_environment").on(key.api, key.environment, key.id),
    index("keys_by_api").on(key.api, key.id),
    index("keys_by_owner").on(key.owner, key.id),
    // Few keys are not active, so this one is small, and active ones need none.
    index("keys_by_expiry").on(key.expire_time).where(sql`expire_time IS NOT NULL`),
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
    seal: blob({ mode: "buffer" }).notNull(),
  },
  () => [check("tokens_digest", sql`length(digest) = 32`), check("tokens_generation", sql`generation >= 1`)],
);

/** Every pepper that a stored token was ever digested with, so that nobody has to look through the tokens. */
export const peppers = sqliteTable("peppers", { id: text().primaryKey() });

/** Every seal key that a stored record was ever sealed with. */
export const sealKeys = sqliteTable("seal_keys", { id: text().primaryKey() });

/**
 * One row for each committed change, and never another: the audit, and by its first columns what tells caches what has
 * changed. The seal of a record vouches for what is in it, this for its being the newest.
 */
export const auditEvents = sqliteTable(
  "audit_events",
  {
    revision: integer().primaryKey(),
    record_kind: text().notNull(),
    record_id: text().notNull(),
    adds_token: integer().notNull(),
    time: integer().notNull(),
    action: text().notNull(),
    actor_kind: text().notNull(),
    actor_key_id: text(),
    actor_ip: text().notNull(),
    request_id: text().notNull(),
    api: text().notNull(),
    before: text(),
    after: text(),
    hash: text().notNull(),
  },
  (event) => [
    index("audit_events_by_record").on(event.record_id, event.revision),
    index("audit_events_by_api").on(event.api, event.revision),
    check("audit_events_record_kind", sql`record_kind IN ('api', 'key', 'import')`),
    check("audit_events_adds_token", sql`adds_token IN (0, 1)`),
  ],
);

/**
 * One row, written with every commit: where the audit's chain ends, so that nobody can shorten it; a sum over the seals of
 * all APIs and keys, so that nobody can put an old one back; and how many commits there were, so that a reader knows one
 * that was none of ours.
 */
export const auditHead = sqliteTable(
  "audit_head",
  {
    id: integer().primaryKey(),
    revision: integer().notNull(),
    hash: text().notNull(),
    records: blob({ mode: "buffer" }).notNull(),
    commits: integer().notNull(),
    is_distrusted: integer().notNull(),
    seal: blob({ mode: "buffer" }).notNull(),
  },
  () => [
    check("audit_head_id", sql`id = 1`),
    check("audit_head_is_distrusted", sql`is_distrusted IN (0, 1)`),
  ],
);

/**
 * How often a key was verified with which outcome in which hour (since the epoch). An empty key id is no known key; other
 * ids than a key's are names of totals (usage-rows.ts). The index is for deleting what is old.
 */
export const usage = sqliteTable(
  "usage",
  {
    key_id: text().notNull(),
    hour: integer().notNull(),
    reason: text().notNull(),
    count: integer().notNull(),
  },
  (row) => [primaryKey({ columns: [row.key_id, row.hour, row.reason] }), index("usage_by_hour").on(row.hour)],
);

/** When and from where each token of a key was last allowed. */
export const lastUses = sqliteTable(
  "last_uses",
  {
    key_id: text().notNull(),
    generation: integer().notNull(),
    time: integer().notNull(),
    client_ip: text().notNull(),
  },
  (row) => [primaryKey({ columns: [row.key_id, row.generation] })],
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
