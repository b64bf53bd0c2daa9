import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { IMPORT, importSession } from "./import-session.ts";

/*
 * What docs/migrate says to export with, run in SQLite on tables with the columns that the systems have (as far as the query
 * names them), written as the client of the page writes it, and imported as the page says.
 */

const DOCS = join(import.meta.dirname, "../../docs/migrate");
const shop = importSession();

type Row = readonly (string | number | null)[];

interface Exported {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** The query of a page, as it stands there, without what is for the shell and for the session of MySQL. */
function queryOf(page: string, shape: RegExp): string {
  const [, query] = shape.exec(readFileSync(join(DOCS, page), "utf8")) ?? [];
  if (query === undefined) throw new Error(`${page} has no query of this shape`);
  return query.replaceAll("\\\n", "\n").replace(/^SET SESSION .*\n/gm, "");
}

function exported(tables: string, query: string): Exported {
  const db = new Database(":memory:");
  try {
    db.exec(tables);
    const statement = db.prepare<[], Row>(query).raw();
    return { columns: statement.columns().map(({ name }) => name), rows: statement.all() };
  } finally {
    db.close();
  }
}

/** As `mysql --batch --raw` writes it. */
function asTabs({ columns, rows }: Exported): string {
  return [columns, ...rows].map((row) => `${row.map((value) => value ?? "NULL").join("\t")}\n`).join("");
}

/** As PostgreSQL's CSV is written, and that of sqlite3. */
function asCsv({ columns, rows }: Exported): string {
  const field = (value: Row[number]) => (value === null ? "" : `"${String(value).replaceAll('"', '""')}"`);
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}

async function imported(name: string, text: string, options: readonly string[]) {
  return shop.session.json(["key", "import", shop.file(name, text), ...IMPORT, ...options]);
}

async function keyOf(owner: string) {
  const { keys } = await shop.session.json(["key", "list", "--api", "shop", "--owner", owner]);
  return keys[0];
}

const base64 = (token: string) => hash("sha256", token, "base64");
const base64url = (token: string) => hash("sha256", token, "base64url");

describe("the query of the page for", () => {
  it("Unkey gives keys with all of their permissions and limits, one row each", async () => {
    const tables = `
      CREATE TABLE keys (id, key_auth_id, hash, start, name, owner_id, identity_id, meta, expires, created_at_m, deleted_at_m, enabled);
      CREATE TABLE identities (id, external_id);
      CREATE TABLE permissions (id, slug);
      CREATE TABLE keys_permissions (key_id, permission_id);
      CREATE TABLE ratelimits (name, key_id, "limit", duration, auto_apply);
      INSERT INTO keys VALUES
        ('key_1', 'ks_YOURS', '${base64("shop_unkey_query_1")}', 'shop_unk', '"Prod" key', NULL, 'id_1', '{"plan":"pro"}',
         '2099-01-31 09:00:00.000', 1700000000000, NULL, 1),
        ('key_2', 'ks_YOURS', '${base64("shop_unkey_query_2")}', 'shop_unk', '"unbalanced', 'unkey_b', NULL, NULL, NULL, 1700000000000, NULL, 0),
        ('key_3', 'ks_YOURS', '${base64("shop_unkey_query_3")}', 'shop_unk', NULL, 'unkey_c', NULL, NULL, NULL, 1700000000000, 1700000000001, 1);
      INSERT INTO identities VALUES ('id_1', 'unkey_a');
      INSERT INTO permissions VALUES ('p_1', 'orders:read'), ('p_2', 'orders:write');
      INSERT INTO keys_permissions VALUES ('key_1', 'p_1'), ('key_1', 'p_2'), ('key_2', 'p_1');
      INSERT INTO ratelimits VALUES ('requests', 'key_1', 100, 60000, 1), ('bursts', 'key_1', 10, 1000, 1),
        ('exports', 'key_1', 1, 60000, 0);`;
    const table = exported(tables, queryOf("unkey.md", /<<'SQL'\n(.*?)\nSQL\n/s));
    const outcome = await imported("unkey.tsv", asTabs(table), ["--from", "unkey"]);
    expect(outcome).toMatchObject({ rows: 2, imported: 2, refused: 0 });
    const key = await keyOf("unkey_a");
    expect(key).toMatchObject({
      displayName: '"Prod" key',
      scopes: ["orders:read", "orders:write"],
      metadata: { plan: "pro" },
      expireTime: "2099-01-31T09:00:00Z",
      createTime: "2023-11-14T22:13:20Z",
    });
    expect(key.rateLimits).toHaveLength(2);
    expect(key.rateLimits).toContainEqual({ name: "bursts", quota: 10, window: "1s" });
    expect(await keyOf("unkey_b")).toMatchObject({ displayName: '"unbalanced', state: "STATE_DISABLED" });
  });

  it("better-auth gives its keys", async () => {
    const tables = `
      CREATE TABLE apikey (id, name, start, prefix, key, referenceId, enabled, rateLimitEnabled, rateLimitTimeWindow,
        rateLimitMax, expiresAt, createdAt, permissions, metadata);
      INSERT INTO apikey VALUES ('1', 'CI', 'shop_b', NULL, '${base64url("shop_better_auth_query_1")}', 'better_a', 1, 1, 60000,
        100, '2099-01-31T09:00:00.000Z', '2023-11-14T22:13:20.000Z', '{"orders":["read"]}', NULL);`;
    const query = queryOf("better-auth.md", /sqlite3 -header -csv auth\.db '(.*?)'/s);
    const outcome = await imported("apikeys.csv", asCsv(exported(tables, query)), ["--from", "better-auth"]);
    expect(outcome).toMatchObject({ rows: 1, imported: 1 });
    expect(await keyOf("better_a")).toMatchObject({
      scopes: ["orders:read"],
      rateLimits: [{ name: "imported", quota: 100, window: "60s" }],
      expireTime: "2099-01-31T09:00:00Z",
    });
  });

  it("Kong gives its keys with their consumers", async () => {
    const tables = `
      CREATE TABLE keyauth_credentials (id, key, consumer_id, created_at, ttl, tags);
      CREATE TABLE consumers (id, custom_id, username);
      INSERT INTO keyauth_credentials VALUES
        ('1', 'kongQuery1kongQuery1kongQuery1ko', 'c_1', '2023-11-14 22:13:20+00', '2099-01-31 11:00:00+02', '{ci,eu}');
      INSERT INTO consumers VALUES ('c_1', 'kong_a', 'acme');`;
    const query = queryOf("kong.md", /\\copy \((.*?)\) TO/s);
    const options = ["--from", "kong", "--scope", "orders:read"];
    const outcome = await imported("kong.csv", asCsv(exported(tables, query)), options);
    expect(outcome).toMatchObject({ rows: 1, imported: 1 });
    expect(await keyOf("kong_a")).toMatchObject({
      expireTime: "2099-01-31T09:00:00Z",
      metadata: { tags: "{ci,eu}" },
    });
  });

  it("a table of one's own gives those that are not revoked, and a time without a zone is UTC", async () => {
    const hex = (token: string) => hash("sha256", token, "hex");
    const tables = `
      CREATE TABLE api_keys (key_hash, customer, rights, valid_until, revoked);
      INSERT INTO api_keys VALUES
        ('${hex("ghp_queryOfAHomeMadeTable1")}', 'table_a', 'orders:read', '2099-01-31 09:00:00', 0),
        ('${hex("ghp_queryOfAHomeMadeTable2")}', 'table_b', 'orders:read', NULL, 1);`;
    const query = queryOf("table.md", /\\copy \((.*?)\) TO/s);
    const maps = ["key_hash=token", "customer=owner", "rights=scopes", "valid_until=expire_time"];
    const options = ["--hash", "sha256-hex", ...maps.flatMap((map) => ["--map", map])];
    expect(await imported("keys.csv", asCsv(exported(tables, query)), options)).toMatchObject({
      imported: 1,
    });
    expect(await keyOf("table_a")).toMatchObject({ expireTime: "2099-01-31T09:00:00Z" });
  });
});
