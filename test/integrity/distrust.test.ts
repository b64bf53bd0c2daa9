import { afterEach, expect, it } from "vitest";
import { AuditWatch } from "../../src/app/audit-watch.ts";
import { createKey } from "../../src/app/create-key.ts";
import { KEY } from "../support/authority.ts";
import { editedStore } from "./edited-store.ts";

/* A record that is put back as it was, with the audit edited so that it looks like the newest: what a look at all makes of it. */

const edited = editedStore();
const watches: AuditWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
});

function watch(told: string[]): AuditWatch {
  const opened = new AuditWatch({
    parts: edited.parts,
    interval: 3_600_000,
    onProblem: ({ kind }) => told.push(kind),
    onTrust: (isTrusted) => told.push(isTrusted ? "trusted" : "distrusted"),
    onError: (error) => told.push(String(error)),
  });
  watches.push(opened);
  return opened;
}

async function putBack(): Promise<void> {
  edited.edit("CREATE TABLE aside.kept AS SELECT * FROM keys");
  await edited.revoke();
  edited.edit(
    "CREATE TABLE aside.last AS SELECT * FROM keys",
    "CREATE TABLE aside.event AS SELECT * FROM audit_events WHERE revision = 3",
    "DELETE FROM keys",
    "INSERT INTO keys SELECT * FROM aside.kept",
    "DELETE FROM audit_events WHERE revision = 3",
  );
}

const UNAVAILABLE = { status: "UNAVAILABLE", message: expect.stringContaining("behind Keywarden's back") };

it("a revoked key that is put back, with its event deleted, grants nothing once everything was looked at", async () => {
  await putBack();
  const told: string[] = [];
  expect(await watch(told).look()).toBe(false);
  expect(told).toEqual(["RECORDS", "TRUNCATED", "distrusted"]);
  await expect(edited.isFound()).rejects.toMatchObject(UNAVAILABLE);
});

it("stays so over a restart and further changes, and ends when what was edited is undone", async () => {
  await putBack();
  const told: string[] = [];
  await watch(told).look();
  await edited.close();
  await edited.open();
  await createKey(edited.parts, KEY, "");
  await expect(edited.isFound()).rejects.toMatchObject(UNAVAILABLE);
  expect(await edited.store.auditHead()).toMatchObject({ isDistrusted: true });
  edited.edit(
    `DELETE FROM keys WHERE id = '${edited.key.id}'`,
    "INSERT INTO keys SELECT * FROM aside.last",
    "INSERT INTO audit_events SELECT * FROM aside.event",
  );
  told.length = 0;
  expect(await watch(told).look()).toBe(true);
  expect(told).toEqual(["trusted"]);
  expect(await edited.isFound()).toBe(false);
});

it("while the audit is whole it says which record is not the newest, and all others go on", async () => {
  edited.edit("CREATE TABLE aside.kept AS SELECT * FROM keys");
  await edited.revoke();
  const { key } = await createKey(edited.parts, KEY, "");
  edited.edit(`DELETE FROM keys WHERE id = '${edited.key.id}'`, "INSERT INTO keys SELECT * FROM aside.kept");
  const told: string[] = [];
  expect(await watch(told).look()).toBe(true);
  expect(told).toEqual(["RECORDS"]);
  expect(await edited.isFound()).toBe(false);
  expect(await edited.store.getKey(key.id)).toMatchObject({ state: "ACTIVE" });
});

it("an edit of the audit alone is told, and takes no record's trust", async () => {
  edited.edit("UPDATE audit_events SET time = 1 WHERE revision = 1");
  const told: string[] = [];
  expect(await watch(told).look()).toBe(true);
  expect(told).toEqual(["EDITED"]);
  expect(await edited.isFound()).toBe(true);
});

it("somebody else's write is looked at at once", async () => {
  const told: string[] = [];
  const opened = watch(told);
  edited.store.onForeignWrite(() => opened.lookSoon());
  await putBack();
  await expect.poll(() => told, { interval: 5, timeout: 10_000 }).toContain("distrusted");
  await expect(edited.isFound()).rejects.toMatchObject(UNAVAILABLE);
});
