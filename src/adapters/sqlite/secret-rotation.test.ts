import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { committed, creation, digestOf, newToken } from "../../../test/conformance/store-subject.ts";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { SEAL_KEY, testApi, testKeyId } from "../../../test/support/records.ts";
import type { PepperId } from "../../domain/digest.ts";
import { createSealKey, type SealKey } from "../../domain/seal.ts";
import type { Store } from "../../ports/store.ts";
import type { SealingProgress } from "./secret-rotation.ts";
import { openSqliteStore, type UsedSecrets } from "./sqlite-store.ts";

const NEXT = createSealKey(Buffer.alloc(32, 9));
const KEYS = 1_234;

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let used: UsedSecrets;
let alarms: string[];

const path = () => join(directory.path, "keywarden.db");

/** Opens the store with these seal keys, and resolves once everything is sealed with the first, if that is to be done. */
async function open(...sealKeys: readonly [SealKey, ...SealKey[]]): Promise<readonly SealingProgress[]> {
  const progresses: SealingProgress[] = [];
  const sealed = Promise.withResolvers<void>();
  store = await openSqliteStore({
    path: path(),
    unlock: async (noted) => {
      used = noted;
      return sealKeys;
    },
    onRefusedRow: ({ message }) => alarms.push(message),
    onWriterFailure: (error) => alarms.push(String(error)),
    onSealing: (progress) => {
      if (progress === undefined) sealed.resolve();
      else progresses.push(progress);
    },
  });
  if (sealKeys.length > 1) await sealed.promise;
  return progresses;
}

beforeEach(async () => {
  directory = temporaryDirectory();
  alarms = [];
  await open(SEAL_KEY);
  const revision = await committed(store, { kind: "create-api", api: testApi() });
  const creations = Array.from({ length: KEYS }, (_, number) => creation({ ...testApi(), revision }, number));
  await Promise.all(creations.map((change) => committed(store, change)));
});

afterEach(async () => {
  await store.close();
  directory.remove();
});

it("after a rotation everything is sealed with the new key, whoever uses the store meanwhile, and the old one can go", async () => {
  await store.close();
  const progresses = await open(NEXT, SEAL_KEY);
  expect(progresses.at(-1)).toEqual({ looked: 2 * KEYS + 1, total: 2 * KEYS + 1 });
  expect(progresses.length).toBeGreaterThan(4);
  await store.close();
  await open(NEXT);
  expect(used.sealKeyIds).toEqual([NEXT.id]);
  const digests = Array.from({ length: KEYS }, (_, number) => digestOf(number));
  expect((await store.findTokens(digests)).value).toHaveLength(KEYS);
  expect(await store.auditHead()).toMatchObject({ isAuthentic: true });
  expect(alarms).toEqual([]);
});

it("a record that was edited is not sealed anew: a rotation makes no forgery good", async () => {
  await store.close();
  const db = new Database(path());
  db.exec(`UPDATE keys SET owner = 'somebody else' WHERE id = '${testKeyId(700)}'`);
  db.close();
  await open(NEXT, SEAL_KEY);
  expect((await store.findTokens([digestOf(700), digestOf(701)])).value).toHaveLength(1);
  expect(alarms).toEqual([expect.stringContaining(testKeyId(700))]);
});

it("a token gets the current pepper in place of a former one, once, and the former one is forgotten with the last", async () => {
  const pepperId = "pepper-2" as PepperId;
  const { revision } = await store.allApis();
  const renewed = Array.from({ length: KEYS }, (_, number) => ({
    from: digestOf(number),
    to: digestOf(`renewed ${number}`),
    pepperId,
  }));
  expect(await store.redigest(renewed.slice(0, 2))).toBe(2);
  expect(await store.redigest(renewed.slice(0, 2))).toBe(0);
  const { value } = await store.findTokens([renewed[0]!.from, renewed[0]!.to, renewed[2]!.from]);
  expect(value.map(({ digest, key }) => [digest, key.id]).toSorted()).toEqual(
    [
      [renewed[0]!.to, testKeyId(0)],
      [renewed[2]!.from, testKeyId(2)],
    ].toSorted(),
  );
  expect((await store.allApis()).revision).toBe(revision);
  await store.close();
  await open(SEAL_KEY);
  expect(used.pepperIds.toSorted()).toEqual([newToken(0).pepperId, pepperId].toSorted());
  await store.redigest(renewed);
  await store.close();
  await open(SEAL_KEY);
  expect(used.pepperIds).toEqual([pepperId]);
  expect(alarms).toEqual([]);
});

it("a store that was killed before it forgot a secret asks only for those that it needs", async () => {
  await store.close();
  const db = new Database(path());
  db.exec("INSERT INTO peppers (id) VALUES ('long-gone'); INSERT INTO seal_keys (id) VALUES ('0badcafe')");
  db.close();
  const asked: UsedSecrets[] = [];
  store = await openSqliteStore({
    path: path(),
    unlock: async (noted) => {
      asked.push(noted);
      if (noted.pepperIds.length > 1) throw new Error("a pepper is missing");
      return [SEAL_KEY];
    },
    onRefusedRow: ({ message }) => alarms.push(message),
    onWriterFailure: (error) => alarms.push(String(error)),
  });
  expect(asked).toHaveLength(2);
  expect(asked[1]).toEqual({ pepperIds: [newToken(0).pepperId], sealKeyIds: [SEAL_KEY.id] });
});
