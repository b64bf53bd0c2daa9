import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { importOf } from "../../../test/conformance/store-imports.ts";
import { committed, digestOf } from "../../../test/conformance/store-subject.ts";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { SEAL_KEY, testApi, testKeyId } from "../../../test/support/records.ts";
import { type Key, revoke } from "../../domain/key.ts";
import type { Store } from "../../ports/store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/* An imported key's only event is its import's, which it shares with others: that must not make it easier to tamper with. */

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let alarms: string[];
let key: Key;

beforeEach(async () => {
  directory = temporaryDirectory();
  alarms = [];
  store = await openSqliteStore({
    path: join(directory.path, "keywarden.db"),
    unlock: async () => [SEAL_KEY],
    onRefusedRow: ({ reason, message }) => alarms.push(`${reason} ${message}`),
    onWriterFailure: (error) => alarms.push(String(error)),
  });
  const apiRevision = await committed(store, { kind: "create-api", api: testApi() });
  const change = importOf({ ...testApi(), revision: apiRevision }, [1, 2]);
  key = { ...change.keys[0]!.key, revision: await committed(store, change) };
});

afterEach(async () => {
  await store.close();
  directory.remove();
});

function tamper(...statements: readonly string[]): void {
  const db = new Database(join(directory.path, "keywarden.db"));
  db.pragma("foreign_keys = OFF");
  for (const statement of statements) db.exec(statement);
  db.close();
}

async function found(): Promise<readonly string[]> {
  const { value } = await store.findTokens([1, 2].map(digestOf));
  return value.map((token) => token.key.id).toSorted();
}

it("an imported key that nobody has touched is found, and raises no alarm", async () => {
  expect(await found()).toEqual([1, 2].map(testKeyId));
  expect(alarms).toEqual([]);
});

it.each(["scopes = '[\"*\"]'", "state = 'DISABLED'", "owner = 'acct_2'", "revision = revision - 1"])(
  "an imported key of which somebody sets %s is not found",
  async (edit) => {
    tamper(`UPDATE keys SET ${edit} WHERE id = '${key.id}'`);
    expect(await found()).toEqual([testKeyId(2)]);
    expect(alarms).toEqual([expect.stringMatching(`^SEAL_BROKEN .*${key.id}`)]);
    await expect(store.getKey(key.id)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
  },
);

it("an imported key that was revoked is not found when its row is put back as it was imported", async () => {
  tamper("CREATE TABLE kept AS SELECT * FROM keys");
  await committed(store, { kind: "update-key", key: revoke(key, 1_500), expected: key.revision });
  tamper(
    `DELETE FROM keys WHERE id = '${key.id}'`,
    `INSERT INTO keys SELECT * FROM kept WHERE id = '${key.id}'`,
  );
  expect(await found()).toEqual([testKeyId(2)]);
  expect(alarms).toEqual([expect.stringContaining("not the version that was written last")]);
});

it("the keys of an import whose event somebody deletes are not found", async () => {
  tamper(`DELETE FROM audit_events WHERE record_kind = 'import'`);
  expect(await found()).toEqual([]);
});

it("an event that is turned into an import's makes no other key look newest", async () => {
  const update = { kind: "update-key", key: { ...key, owner: "acct_9" }, expected: key.revision } as const;
  await committed(store, update);
  tamper(
    `UPDATE audit_events SET record_kind = 'import', record_id = 'x' WHERE record_id = '${key.id}'`,
    `UPDATE keys SET revision = revision - 1 WHERE id = '${key.id}'`,
  );
  expect(await found()).toEqual([testKeyId(2)]);
});

it("a token that is given to another imported key leads to none", async () => {
  tamper(`UPDATE tokens SET key_id = '${testKeyId(2)}' WHERE key_id = '${key.id}'`);
  expect((await store.findTokens([digestOf(1)])).value).toEqual([]);
});
