import { expect, it } from "vitest";
import { editedStore } from "./edited-store.ts";

/* A cache drops what the change log names: whoever edits that must not keep a revocation from reaching it. */

const edited = editedStore();

const EVENT = (revision: string) =>
  `INSERT INTO audit_events SELECT ${revision}, record_kind, record_id, adds_token, time, action, actor_kind, actor_key_id,
    actor_ip, request_id, api, before, after, hash FROM audit_events WHERE revision = 1`;

it.each([
  ["an event far beyond the last is added", [EVENT("9000000000000000")]],
  ["an event of the next number is added", [EVENT("3")]],
  ["every event is deleted", ["DELETE FROM audit_events"]],
  ["the end's record is deleted", ["DELETE FROM audit_head"]],
  ["the end's record is edited", ["UPDATE audit_head SET revision = 9000000000000000"]],
  [
    "a trigger makes events some API's",
    [
      "CREATE TRIGGER t AFTER INSERT ON audit_events BEGIN UPDATE audit_events SET record_kind = 'api' WHERE revision = new.revision; END",
    ],
  ],
  [
    "a trigger keeps the end's record as it is",
    ["CREATE TRIGGER t BEFORE INSERT ON audit_head BEGIN SELECT RAISE(IGNORE); END"],
  ],
  [
    "a trigger renames the key in events",
    [
      "CREATE TRIGGER t AFTER INSERT ON audit_events BEGIN UPDATE audit_events SET record_id = 'x' WHERE revision = new.revision; END",
    ],
  ],
])("a revocation that is acknowledged after %s is seen at once", async (_what, statements) => {
  edited.edit(...statements);
  const isRevoked = await edited.revoke().then(
    () => true,
    () => false,
  );
  const isFound = await edited.isFound().catch(() => false);
  expect({ isRevoked, isFound: isFound && isRevoked }).toEqual({ isRevoked, isFound: false });
  expect(edited.alarms.length).toBeGreaterThan(0);
});

it.each([
  ["the key's name in it is changed", ["UPDATE audit_events SET record_id = 'x' WHERE revision = 3"]],
  ["it is made some API's", ["UPDATE audit_events SET record_kind = 'api' WHERE revision = 3"]],
  ["it is deleted", ["DELETE FROM audit_events WHERE revision = 3"]],
  [
    "it is deleted, and the end's record put back",
    [
      "DELETE FROM audit_events WHERE revision = 3",
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM aside.head",
    ],
  ],
  [
    "the end's record alone is put back",
    ["DELETE FROM audit_head", "INSERT INTO audit_head SELECT * FROM aside.head"],
  ],
])("a revocation is seen by a cache that had not yet read its event when %s", async (_what, statements) => {
  edited.edit("CREATE TABLE aside.head AS SELECT * FROM audit_head");
  await edited.revoke();
  edited.edit(...statements);
  expect(await edited.isFound().catch(() => false)).toBe(false);
});

it("an event whose number the next change gets makes way for that one's, and is told whole in an alarm", async () => {
  edited.edit(EVENT("3"), "UPDATE audit_events SET request_id = 'forged' WHERE revision = 3");
  expect(await edited.problems()).toEqual(["FORGED 3"]);
  await edited.revoke();
  expect(await edited.problems()).toEqual([]);
  expect(await edited.newest()).toMatchObject({ action: "RevokeKey", revision: 3 });
  expect(edited.alarms.join("\n")).toContain('"request_id":"forged"');
});

it("a change is refused while a trigger could undo it, and made once that is gone", async () => {
  edited.edit("CREATE TRIGGER t AFTER UPDATE ON keys BEGIN UPDATE keys SET state = 'ACTIVE'; END");
  await expect(edited.revoke()).rejects.toMatchObject({
    status: "UNAVAILABLE",
    message: expect.stringContaining("trigger t"),
  });
  edited.edit("DROP TRIGGER t");
  await edited.revoke();
  expect(await edited.isFound()).toBe(false);
});

it.each([
  ["a trigger", "CREATE TRIGGER t AFTER UPDATE ON keys BEGIN UPDATE keys SET state = 'ACTIVE'; END"],
  ["a view", "CREATE VIEW spy AS SELECT * FROM tokens"],
])("a store with %s of somebody else's is not opened, and the refusal names it", async (what, statement) => {
  await edited.close();
  edited.edit(statement);
  await expect(edited.open()).rejects.toMatchObject({
    status: "FAILED_PRECONDITION",
    reason: "SCHEMA_ALTERED",
    message: expect.stringContaining(what === "a view" ? "view spy" : "trigger t"),
  });
});

it("a change that nobody has tampered with is no alarm, nor is what is written beside changes", async () => {
  await edited.store.recordUsage({
    counts: [],
    lastUses: [{ keyId: edited.key.id, generation: 1, time: 5, clientIp: "" }],
  });
  expect(await edited.isFound()).toBe(true);
  await edited.revoke();
  expect(await edited.isFound()).toBe(false);
  expect(edited.alarms).toEqual([]);
});

it("somebody else's write is told soon, and none of our own is", async () => {
  let told = 0;
  const heard = Promise.withResolvers<void>();
  edited.store.onForeignWrite(() => {
    told++;
    heard.resolve();
  });
  await edited.revoke();
  edited.edit("DELETE FROM usage", "UPDATE keys SET owner = 'x'");
  await heard.promise;
  expect(told).toBe(1);
});

it("an end that somebody has edited is put right at once, with an alarm, before anything is changed", async () => {
  edited.edit("UPDATE audit_head SET revision = 1");
  await expect.poll(() => edited.problems(), { interval: 5, timeout: 10_000 }).toEqual([]);
  expect(edited.alarms).toContainEqual(expect.stringMatching(/^AUDIT_FORGED .*it is put right/));
  expect(await edited.isFound()).toBe(true);
});
