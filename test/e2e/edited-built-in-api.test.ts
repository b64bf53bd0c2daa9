import Database from "better-sqlite3";
import { beforeEach, expect, it } from "vitest";
import type { KeywardenProcess } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";

/* Somebody has edited Keywarden's own API in the database: nobody administers, and what is sound goes on. */

const place = placePerTest();
let server: KeywardenProcess;
let keyId: string;
let token: string;

function edit(statement: string): void {
  const db = new Database(place.path("keywarden.db"));
  db.exec(statement);
  db.close();
}

const named = (name: string) => edit(`UPDATE apis SET display_name = '${name}' WHERE id = 'keywarden'`);
const verified = () => server.verifyClient().verifyKey({ token });

beforeEach(async () => {
  server = await place.start();
  const admin = server.adminClient();
  const api = { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] };
  await admin.createApi({ api });
  const created = await admin.createKey({ key: { api: "orders", environment: "test", owner: "acct_1" } });
  keyId = created.key?.keyId ?? "";
  token = created.token;
  await server.stop();
  named("Keywardn");
});

it("a start goes on: keys of products are verified, nobody is an administrator, and the log says what to do", async () => {
  const { adminToken } = server;
  server = await place.start();
  expect(await verified()).toMatchObject({ allowed: true });
  await expect(server.adminClient().getKey({ keyId })).rejects.toMatchObject({ reason: "UNKNOWN_API" });
  // Else whoever edits it would get an administrator for it.
  expect(server.adminToken).toBe(adminToken);
  expect(server.output()).toMatch(/"level":50.*nobody administers.*keywarden doctor.*keywarden restore/);
  // It comes after the line that says that it serves.
  await expect.poll(() => server.output(), { timeout: 20_000 }).toContain("next: npx keywarden doctor");
});

it("once it is as it was, administrators count again", async () => {
  server = await place.start();
  await server.stop();
  named("Keywarden");
  server = await place.start();
  expect(await server.adminClient().getKey({ keyId })).toMatchObject({ key: { keyId } });
  expect(server.output()).not.toContain("nobody administers");
});
