import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { committed, creation, digestOf } from "../../../test/conformance/store-subject.ts";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { ENTRY, SEAL_KEY, testApi, testKeyId } from "../../../test/support/records.ts";
import type { ApiId } from "../../domain/api.ts";
import { type Key, revoke, rotate } from "../../domain/key.ts";
import { createSealKey, type SealKey } from "../../domain/seal.ts";
import type { Store } from "../../ports/store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/*
 * Somebody can write to the database file: with an SQLite shell, a stolen backup put back, or a bug of a script. None of
 * it may ever grant anything.
 */

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let alarms: string[];
let key: Key;

const path = () => join(directory.path, "keywarden.db");
const open = (...sealKeys: readonly SealKey[]) =>
  openSqliteStore({
    path: path(),
    unlock: async () => [sealKeys[0] ?? SEAL_KEY, ...sealKeys.slice(1)],
    onRefusedRow: ({ reason, message }) => alarms.push(`${reason} ${message}`),
    onWriterFailure: (error) => alarms.push(String(error)),
  });

beforeEach(async () => {
  directory = temporaryDirectory();
  alarms = [];
  store = await open();
  const revision = await committed(store, { kind: "create-api", api: testApi() });
  for (const number of [1, 2, 3]) {
    const change = creation({ ...testApi(), revision }, number, {
      expireTime: 2_000,
      owner: `acct_${number}`,
    });
    const stored = { ...change.key, revision: await committed(store, change) };
    if (number === 2) key = stored;
  }
});

afterEach(async () => {
  await store.close();
  directory.remove();
});

function tamper(...statements: readonly string[]): void {
  const db = new Database(path());
  db.pragma("ignore_check_constraints = ON");
  db.pragma("foreign_keys = OFF");
  for (const statement of statements) db.exec(statement);
  db.close();
}

/** The keys that the three test tokens lead to. */
async function found(): Promise<readonly string[]> {
  const { value } = await store.findTokens([1, 2, 3].map(digestOf));
  return value.map((token) => token.key.id).toSorted();
}

/** Every column of a key but its id, each with a value that it could have. */
const EDITS: Readonly<Record<string, string>> = {
  api: "'other'",
  environment: "'live'",
  owner: "'acct_1'",
  display_name: "'Friendly'",
  scopes: `'["*"]'`,
  allowed_cidrs: `'["0.0.0.0/0"]'`,
  rate_limits: `'[{"name":"d","quota":1000000,"window":1000}]'`,
  metadata: `'{"plan":"enterprise"}'`,
  binding: `'{"apis":[],"environment":null}'`,
  state: "'DISABLED'",
  expire_time: "NULL",
  generation: "2",
  hint: "'ord_test_…zzzz'",
  previous_hint: "'ord_test_…yyyy'",
  previous_expire_time: "9000000000000",
  create_time: "1",
  update_time: "1",
  revoke_time: "1",
  revision: "99",
  seal: "zeroblob(20)",
};

describe("a key of which somebody edits", () => {
  it("any column is among those that are tried", () => {
    const db = new Database(path(), { readonly: true });
    const columns = db.prepare("SELECT name FROM pragma_table_info('keys')").pluck().all();
    db.close();
    expect(["id", ...Object.keys(EDITS)].toSorted()).toEqual(columns.toSorted());
  });

  it.each(Object.entries(EDITS))(
    "its %s is as good as unknown, raises an alarm, and takes no other with it",
    async (column, value) => {
      tamper(`UPDATE keys SET ${column} = ${value} WHERE id = '${testKeyId(2)}'`);
      expect(await found()).toEqual([1, 3].map(testKeyId));
      expect(alarms).toEqual([expect.stringMatching(`^SEAL_BROKEN .*${testKeyId(2)}`)]);
      const error = {
        status: "DATA_LOSS",
        reason: "SEAL_BROKEN",
        message: expect.stringContaining(testKeyId(2)),
      };
      await expect(store.getKey(testKeyId(2))).rejects.toMatchObject(error);
      await expect(store.listKeys({}, "", 10)).rejects.toMatchObject(error);
      expect(await store.getKey(testKeyId(1))).toBeDefined();
    },
  );
});

it("a key whose row is unreadable, although it is sealed, is not found and is reported", async () => {
  await committed(store, {
    kind: "update-key",
    key: { ...key, state: "SUPER" as Key["state"] },
    expected: key.revision,
  }).catch(() => {});
  const unreadable = { ...key, metadata: [] as unknown as Key["metadata"] };
  await committed(store, { kind: "update-key", key: unreadable, expected: key.revision });
  expect(await found()).toEqual([1, 3].map(testKeyId));
  expect(alarms).toEqual([expect.stringMatching(`^STORE_CORRUPT .*${testKeyId(2)}`)]);
  await expect(store.getKey(testKeyId(2))).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
});

it("a revoked key whose whole row, seal included, is put back as it was before is not found", async () => {
  tamper("CREATE TABLE kept AS SELECT * FROM keys");
  await committed(store, { kind: "update-key", key: revoke(key, 1_500), expected: key.revision });
  tamper(
    `DELETE FROM keys WHERE id = '${key.id}'`,
    `INSERT INTO keys SELECT * FROM kept WHERE id = '${key.id}'`,
  );
  expect(await found()).toEqual([1, 3].map(testKeyId));
  expect(alarms).toEqual([expect.stringContaining("not the version that was written last")]);
  await expect(store.getKey(key.id)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
});

it("such a row is not found either if the audit's events of the key are deleted with it", async () => {
  tamper("CREATE TABLE kept AS SELECT * FROM keys");
  await committed(store, { kind: "update-key", key: revoke(key, 1_500), expected: key.revision });
  tamper(
    `DELETE FROM keys WHERE id = '${key.id}'`,
    `INSERT INTO keys SELECT * FROM kept WHERE id = '${key.id}'`,
    `DELETE FROM audit_events WHERE record_id = '${key.id}'`,
  );
  expect(await found()).toEqual([1, 3].map(testKeyId));
});

it.each([
  [
    "a digest is put in place of another's",
    `UPDATE tokens SET digest = x'${"ab".repeat(32)}' WHERE key_id = '${testKeyId(2)}'`,
  ],
  [
    "is given to another key",
    `UPDATE tokens SET key_id = '${testKeyId(1)}' WHERE key_id = '${testKeyId(2)}'`,
  ],
  ["is made the current one", `UPDATE tokens SET generation = 2 WHERE key_id = '${testKeyId(2)}'`],
  ["says another pepper", `UPDATE tokens SET pepper_id = 'other' WHERE key_id = '${testKeyId(2)}'`],
  [
    "gets another's seal",
    `UPDATE tokens SET seal = (SELECT seal FROM tokens WHERE key_id = '${testKeyId(1)}')`,
  ],
])("a token of which %s leads to no key", async (_what, statement) => {
  tamper(statement);
  const { value } = await store.findTokens([
    digestOf(2),
    Buffer.from("ab".repeat(32), "hex").toString("latin1") as never,
  ]);
  expect(value).toEqual([]);
});

it("a rotated-out token whose row is added again after it was deleted is that of an old generation", async () => {
  const rotated = rotate(key, { hint: "new", graceEnd: 0, now: 1_000 });
  const token = { digest: digestOf("second"), pepperId: "pepper-1" as never, generation: 2 };
  await committed(store, { kind: "update-key", key: rotated, expected: key.revision, token });
  const { value } = await store.findTokens([digestOf(2)]);
  expect(value).toMatchObject([{ generation: 1, key: { generation: 2, previousToken: null } }]);
});

it("an API that was edited is not among all APIs, and raises an alarm", async () => {
  await committed(store, { kind: "create-api", api: testApi({ id: "other" as ApiId, tokenPrefix: "oth" }) });
  tamper(`UPDATE apis SET route_rules = '[]', environments = '["test"]' WHERE id = 'orders'`);
  expect((await store.allApis()).value.map(({ id }) => id)).toEqual(["other"]);
  expect(alarms).toEqual([expect.stringMatching(/^SEAL_BROKEN .*orders/)]);
  await expect(store.getApi("orders" as ApiId)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
});

it("records that were sealed with another key are not trusted", async () => {
  await store.close();
  store = await open(createSealKey(Buffer.alloc(32, 9)));
  expect(await found()).toEqual([]);
});

it("records that were sealed with a former key are, and what is written anew is sealed with the current one", async () => {
  const next = createSealKey(Buffer.alloc(32, 9));
  await store.close();
  store = await open(next, SEAL_KEY);
  expect(await found()).toHaveLength(3);
  await committed(store, { kind: "update-key", key: { ...key, owner: "acct_9" }, expected: key.revision });
  await store.close();
  store = await open(next);
  expect(await store.getKey(key.id)).toMatchObject({ owner: "acct_9" });
});

it("changing one edited credential is refused, so that an edit can't be written down as if it were ours", async () => {
  tamper(`UPDATE keys SET scopes = '["*"]' WHERE id = '${key.id}'`);
  await expect(store.getKey(key.id)).rejects.toMatchObject({ reason: "SEAL_BROKEN" });
  expect((await store.commit({ kind: "update-key", key, expected: key.revision }, ENTRY)).ok).toBe(true);
  expect(await store.getKey(key.id)).toMatchObject({ scopes: key.scopes });
});

it("a key whose one event is made another record's is not found: only an import's is shared", async () => {
  tamper(`UPDATE audit_events SET record_id = 'x' WHERE record_id = '${key.id}'`);
  expect(await found()).toEqual([1, 3].map(testKeyId));
  expect(alarms).toEqual([expect.stringContaining("not the version that was written last")]);
});
