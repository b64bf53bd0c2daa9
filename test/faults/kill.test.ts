import { randomUUID } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, it } from "vitest";
import { type Key, Key_State } from "../../src/gen/keywarden/v1/key_pb.ts";
import {
  type AdminClient,
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
} from "../support/keywarden-process.ts";

const ROUNDS = 50;
const LANES = 16;
const directory = temporaryDirectory();
afterAll(() => directory.remove());

/** What the server has acknowledged of a key, as its last response gave it. */
const acknowledged = new Map<string, Key>();

/** One caller that creates keys and changes them, one thing at a time, until its server is gone. */
class Lane {
  /** The key whose change was sent and not answered. */
  unanswered: { readonly keyId: string } | { readonly requestId: string } | undefined;

  async work(admin: AdminClient, answered: () => void): Promise<void> {
    const note = (key: Key | undefined) => {
      acknowledged.set(key!.keyId, key!);
      this.unanswered = undefined;
      answered();
      return key!.keyId;
    };
    for (;;) {
      const requestId = randomUUID();
      this.unanswered = { requestId };
      const keyId = note(
        (await admin.createKey({ key: { api: "kill", environment: "test", owner: "a" }, requestId })).key,
      );
      this.unanswered = { keyId };
      note((await admin.rotateKey({ keyId, grace: { seconds: 60n } })).key);
      this.unanswered = { keyId };
      note((await admin.disableKey({ keyId })).key);
      this.unanswered = { keyId };
      note((await admin.enableKey({ keyId })).key);
      this.unanswered = { keyId };
      note((await admin.updateKey({ key: { keyId, scopes: ["orders:read"] } })).key);
      this.unanswered = { keyId };
      note((await admin.revokeKey({ keyId })).key);
    }
  }
}

it(`loses no acknowledged change, and leaves none half made, when it is killed ${ROUNDS} times in the middle of writes`, async () => {
  const lanes = Array.from({ length: LANES }, () => new Lane());
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startKeywarden({ directory: directory.path });
    const admin = server.adminClient();
    if (round === 0) {
      await admin.createApi({
        api: { apiId: "kill", displayName: "Kill", tokenPrefix: "kill", environments: ["test"] },
      });
    }
    await checkEverything(admin, lanes);
    await killInTheMiddle(server, admin, lanes, 40 + 13 * (round % 7));
  }
  const server = await startKeywarden({ directory: directory.path });
  await checkEverything(server.adminClient(), lanes);
  expect(await server.stop()).toBe(0);
  expect(acknowledged.size).toBeGreaterThan(ROUNDS * 4);
  checkFile();
}, 600_000);

/** Kills the server once it has acknowledged that many changes more, with others on their way. */
async function killInTheMiddle(
  server: KeywardenProcess,
  admin: AdminClient,
  lanes: readonly Lane[],
  changes: number,
): Promise<void> {
  const enough = Promise.withResolvers<void>();
  let left = changes;
  const answered = () => {
    if (--left === 0) enough.resolve();
  };
  const work = lanes.map((lane) => lane.work(admin, answered).catch(() => {}));
  await enough.promise;
  process.kill(server.pid, "SIGKILL");
  await Promise.all(work);
  await server.kill();
}

async function checkEverything(admin: AdminClient, lanes: readonly Lane[]): Promise<void> {
  const stored = await listAll(admin);
  const open = new Set<string>();
  for (const { unanswered } of lanes) if (unanswered && "keyId" in unanswered) open.add(unanswered.keyId);
  for (const [keyId, key] of acknowledged) {
    const found = stored.get(keyId);
    if (open.has(keyId)) expect(Number(found?.etag)).toBeGreaterThanOrEqual(Number(key.etag));
    else expect(found).toEqual(key);
    if (found) acknowledged.set(keyId, found);
  }
  for (const lane of lanes) {
    const { unanswered } = lane;
    if (unanswered && "requestId" in unanswered) await sendAgain(admin, unanswered.requestId, stored);
    lane.unanswered = undefined;
  }
  expect([...stored.keys()].filter((keyId) => !acknowledged.has(keyId))).toEqual([]);
}

/** Sent again, it makes the key, or finds the one that it had made: never a second. */
async function sendAgain(admin: AdminClient, requestId: string, stored: Map<string, Key>): Promise<void> {
  const { key, replayed } = await admin.createKey({
    key: { api: "kill", environment: "test", owner: "a" },
    requestId,
  });
  expect(replayed).toBe(stored.has(key!.keyId));
  expect(key!.state).toBe(Key_State.ACTIVE);
  stored.set(key!.keyId, key!);
  acknowledged.set(key!.keyId, key!);
}

async function listAll(admin: AdminClient): Promise<Map<string, Key>> {
  const stored = new Map<string, Key>();
  let pageToken = "";
  do {
    const page = await admin.listKeys({ api: "kill", pageSize: 1000, pageToken });
    for (const key of page.keys) stored.set(key.keyId, key);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return stored;
}

/** The file itself: sound, every key with all its tokens, and a change for every revision. */
function checkFile(): void {
  const database = new Database(join(directory.path, "keywarden.db"), { readonly: true });
  const rows = (sql: string) => database.prepare(sql).raw().all();
  try {
    expect(rows("PRAGMA integrity_check")).toEqual([["ok"]]);
    expect(rows("PRAGMA foreign_key_check")).toEqual([]);
    expect(
      rows(`SELECT id, generation, (SELECT group_concat(generation) FROM
              (SELECT generation FROM tokens WHERE key_id = keys.id ORDER BY generation)) AS stored
            FROM keys WHERE stored IS NULL OR stored <> CASE generation WHEN 1 THEN '1' WHEN 2 THEN '1,2' END`),
    ).toEqual([]);
    expect(rows("SELECT count(*) = max(revision) - min(revision) + 1 FROM audit_events")).toEqual([[1]]);
    expect(rows("SELECT id FROM keys WHERE revision NOT IN (SELECT revision FROM audit_events)")).toEqual([]);
  } finally {
    database.close();
  }
}
