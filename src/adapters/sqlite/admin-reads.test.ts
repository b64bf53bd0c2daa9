import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SEAL_KEY } from "../../../test/support/records.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { Sealer } from "../../domain/seal.ts";
import type { KeyFilter } from "../../ports/store.ts";
import { createAdminReads } from "./admin-reads.ts";
import { SealedReader } from "./sealed-reader.ts";
import { setUpDatabase } from "./set-up-database.ts";

let directory: string;
let db: Database.Database;
let statements: string[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-plans-"));
  const path = join(directory, "keywarden.db");
  new Database(path).close();
  setUpDatabase(path);
  statements = [];
  db = new Database(path, { verbose: (statement) => statements.push(String(statement)) });
});

afterAll(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

/** How SQLite would find a page of these keys. */
async function planOf(filter: KeyFilter): Promise<string | undefined> {
  statements = [];
  await createAdminReads(db, { rows, now: () => 0 }).listKeys(filter, "", 10);
  const [statement] = statements;
  const steps = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${statement}`).all();
  return steps.map(({ detail }) => detail).find((detail) => detail.includes("keys"));
}

const rows = new SealedReader(new Sealer([SEAL_KEY]), fail);
const api = "orders" as ApiId;
const environment = "live" as Environment;
const owner = "acct_1";

it.each<[filter: KeyFilter, index: string]>([
  [{}, "sqlite_autoindex_keys_1 (id>?)"],
  [{ environment }, "sqlite_autoindex_keys_1 (id>?)"],
  [{ state: "ACTIVE" }, "sqlite_autoindex_keys_1 (id>?)"],
  [{ api }, "keys_by_api (api=? AND id>?)"],
  [{ api, state: "ACTIVE" }, "keys_by_api (api=? AND id>?)"],
  [{ api, environment }, "keys_by_api_environment (api=? AND environment=? AND id>?)"],
  [{ api, environment, state: "ACTIVE" }, "keys_by_api_environment (api=? AND environment=? AND id>?)"],
  [{ owner }, "keys_by_owner (owner=? AND id>?)"],
  [{ owner, api, environment, state: "REVOKED" }, "keys_by_owner (owner=? AND id>?)"],
  [{ expiringBefore: 9 }, "keys_by_expiry (expire_time<?)"],
  [{ expiringBefore: 9, api, prefix: "a" }, "keys_by_expiry (expire_time<?)"],
  [{ expiringBefore: 9, owner }, "keys_by_owner (owner=? AND id>?)"],
  [{ state: "REVOKED" }, "keys_not_active (state=? AND id>?)"],
  [{ api, environment, state: "DISABLED" }, "keys_not_active (state=? AND id>?)"],
])("a page of the keys that match %o is one range of one index", async (filter, index) => {
  expect(await planOf(filter)).toBe(`SEARCH keys USING INDEX ${index}`);
});

function fail(error: Error): never {
  throw error;
}
