import Database from "better-sqlite3";
import { beforeEach, expect, it } from "vitest";
import type { KeywardenProcess } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";

/* What whoever runs a server sees of somebody who edits its database. */

const place = placePerTest();
let server: KeywardenProcess;
beforeEach(async () => {
  server = await place.start();
});

function edit(...statements: readonly string[]): void {
  const db = new Database(place.path("keywarden.db"));
  db.pragma("foreign_keys = OFF");
  db.prepare("ATTACH ? AS aside").run(place.path("aside.db"));
  for (const statement of statements) db.exec(statement);
  db.close();
}

it("an API that was edited stops no start, and the hint of what to type next is where to look", async () => {
  const api = { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] };
  await server.adminClient().createApi({ api });
  await server.stop();
  edit("UPDATE apis SET display_name = 'Others' WHERE id = 'orders'");
  server = await place.start();
  await expect.poll(() => server.output(), { timeout: 20_000 }).toContain("next: npx keywarden doctor");
});

/** A key that was revoked, and whose row is put back as it was before, with its event deleted. */
async function putBack(whileItRuns: boolean): Promise<string> {
  const admin = server.adminClient();
  const api = { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] };
  await admin.createApi({ api });
  const key = { api: "orders", environment: "test", owner: "acct_1" };
  const created = await admin.createKey({ key });
  const { keyId = "" } = created.key ?? {};
  edit("CREATE TABLE aside.kept AS SELECT * FROM keys");
  await admin.revokeKey({ keyId });
  if (!whileItRuns) await server.stop();
  edit(
    `CREATE TABLE aside.event AS SELECT * FROM audit_events WHERE action = 'RevokeKey'`,
    `CREATE TABLE aside.revoked AS SELECT * FROM keys WHERE id = '${keyId}'`,
    "DELETE FROM audit_events WHERE action = 'RevokeKey'",
    `DELETE FROM keys WHERE id = '${keyId}'`,
    `INSERT INTO keys SELECT * FROM aside.kept WHERE id = '${keyId}'`,
  );
  return created.token;
}

const isDistrusted = () => server.output().includes("every call is refused");
const poll = { interval: 20, timeout: 20_000 };

it("a revoked key that is put back while the server runs is denied once it has looked, and it does not start again", async () => {
  const token = await putBack(true);
  await expect.poll(isDistrusted, poll).toBe(true);
  await expect(server.verifyClient().verifyKey({ token })).rejects.toThrow("behind Keywarden's back");
  expect(server.output()).toMatch(/"alarm":true.*somebody else than this server has written/);
  await server.stop();
  await expect(place.start()).rejects.toThrow("restore a backup");
  edit(
    "DELETE FROM keys WHERE id IN (SELECT id FROM aside.revoked)",
    "INSERT INTO keys SELECT * FROM aside.revoked",
    "INSERT INTO audit_events SELECT * FROM aside.event",
  );
  server = await place.start();
  expect(server.output()).toContain("sound again");
  expect(await server.verifyClient().verifyKey({ token })).toMatchObject({ allowed: false });
});

it("one that was put back while no server ran is found with the start, and no later start serves", async () => {
  await putBack(false);
  // The look begins before it serves, and with a small store it may be over by then.
  const isFound = place.start().then(
    async (started) => {
      server = started;
      await expect.poll(isDistrusted, poll).toBe(true);
      return server.stop();
    },
    (error) => expect(String(error)).toContain("every call is refused"),
  );
  await isFound;
  await expect(place.start()).rejects.toThrow("restore a backup");
});

it("a server with a trigger in its database does not start, and says which", async () => {
  await server.stop();
  edit("CREATE TRIGGER helpful AFTER UPDATE ON keys BEGIN SELECT 1; END");
  await expect(place.start()).rejects.toThrow("trigger helpful");
  edit("DROP TRIGGER helpful");
  server = await place.start();
});
