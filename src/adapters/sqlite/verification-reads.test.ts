import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { committed, creation, digestOf } from "../../../test/conformance/store-subject.ts";
import { testApi, testKeyId } from "../../../test/support/records.ts";
import type { ApiId } from "../../domain/api.ts";
import type { Store } from "../../ports/store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

let directory: string;
let store: Store;
let corruptRows: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-rows-"));
  corruptRows = [];
  store = await openSqliteStore({
    path: join(directory, "keywarden.db"),
    onCorruptRow: (error) => corruptRows.push(String(error)),
    onWriterFailure: (error) => corruptRows.push(String(error)),
  });
  const revision = await committed(store, { kind: "create-api", api: testApi() });
  for (const number of [1, 2, 3]) await committed(store, creation({ ...testApi(), revision }, number));
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

/** Changes the database behind the store's back, as somebody with an SQLite shell could. */
function tamper(sql: string): void {
  const db = new Database(join(directory, "keywarden.db"));
  db.pragma("ignore_check_constraints = ON");
  db.exec(sql);
  db.close();
}

it.each(["scopes = 'all'", "scopes = '[1]'", "allowed_cidrs = ''", "state = 'SUPER'", "metadata = '[]'"])(
  "a key whose row was made unreadable by %s is not found, is reported, and takes no other with it",
  async (change) => {
    tamper(`UPDATE keys SET ${change} WHERE id = '${testKeyId(2)}'`);
    const { value } = await store.findTokens([1, 2, 3].map(digestOf));
    expect(value.map((found) => found.key.id)).toEqual([1, 3].map(testKeyId));
    expect(corruptRows).toEqual([expect.stringContaining(testKeyId(2))]);
  },
);

it("a key whose row is unreadable is an error for the administration, which names it", async () => {
  tamper(`UPDATE keys SET rate_limits = '{}' WHERE id = '${testKeyId(2)}'`);
  const error = expect.objectContaining({
    status: "DATA_LOSS",
    reason: "STORE_CORRUPT",
    message: expect.stringContaining(testKeyId(2)),
  });
  await expect(store.getKey(testKeyId(2))).rejects.toEqual(error);
  await expect(store.listKeys({}, "", 10)).rejects.toEqual(error);
  expect(await store.getKey(testKeyId(1))).toBeDefined();
  expect(await store.listKeys({}, testKeyId(2), 10)).toHaveLength(1);
});

it("an API whose row is unreadable is not among all APIs, and is reported", async () => {
  await committed(store, { kind: "create-api", api: testApi({ id: "other" as ApiId, tokenPrefix: "oth" }) });
  tamper("UPDATE apis SET environments = 'live' WHERE id = 'orders'");
  expect((await store.allApis()).value.map(({ id }) => id)).toEqual(["other"]);
  expect(corruptRows).toEqual([expect.stringContaining("orders")]);
  await expect(store.getApi("orders" as ApiId)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
});

it("a change that was made behind the store's back shows in its version", () => {
  const version = store.version();
  tamper("UPDATE keys SET owner = 'somebody else'");
  expect(store.version()).not.toBe(version);
});

it("a reader that is far behind is told to start anew, without reading all that changed", async () => {
  const { revision } = await store.allApis();
  tamper(`WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 10001)
    INSERT INTO changes (kind, record_id, adds_token) SELECT 'key', 'some key', 0 FROM numbers`);
  expect(await store.changesSince(revision)).toMatchObject({ complete: false, keyIds: [] });
});
