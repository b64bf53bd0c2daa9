import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { committed, creation } from "../../../test/conformance/store-subject.ts";
import { SEAL_KEY, testApi } from "../../../test/support/records.ts";
import type { Store } from "../../ports/store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

let directory: string;
let store: Store;
let refusedRows: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-rows-"));
  refusedRows = [];
  store = await openSqliteStore({
    path: join(directory, "keywarden.db"),
    unlock: async () => [SEAL_KEY],
    onRefusedRow: ({ reason, message }) => refusedRows.push(`${reason}: ${message}`),
    onWriterFailure: (error) => refusedRows.push(String(error)),
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

it("a change that was made behind the store's back shows in its version", () => {
  const version = store.version();
  tamper("UPDATE keys SET owner = 'somebody else'");
  expect(store.version()).not.toBe(version);
});

it("a reader that is far behind is told to start anew, without reading all that changed", async () => {
  const { revision } = await store.allApis();
  tamper(`WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 10001)
    INSERT INTO audit_events
      (record_kind, record_id, adds_token, time, action, actor_kind, actor_ip, request_id, api, hash)
    SELECT 'key', 'some key', 0, 0, '', '', '', '', '', '' FROM numbers`);
  expect(await store.changesSince(revision)).toMatchObject({ complete: false, keyIds: [] });
});
