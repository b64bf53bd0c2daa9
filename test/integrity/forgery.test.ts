import { describe, expect, it } from "vitest";
import { createAuditCheckpoint } from "../../src/app/audit.ts";
import { createKey } from "../../src/app/create-key.ts";
import { disableKey } from "../../src/app/disable-key.ts";
import { chained } from "../../src/domain/audit-chain.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { createSealKey } from "../../src/domain/seal.ts";
import { KEY } from "../support/authority.ts";
import { SEAL_KEY } from "../support/records.ts";
import { editedStore } from "./edited-store.ts";

const edited = editedStore();

/** Adds the event as anyone can compute it who knows how the chain is made: that is no secret. */
async function forgeNext(requestId: string): Promise<void> {
  const last = await edited.newest();
  const { hash } = chained({ ...last, revision: (last.revision + 1) as Revision, requestId }, last.hash);
  edited.edit(
    `INSERT INTO audit_events SELECT revision + 1, record_kind, record_id, adds_token, time, action, actor_kind, actor_key_id,
      actor_ip, '${requestId}', api, before, after, '${hash}' FROM audit_events WHERE revision = ${last.revision}`,
  );
}

describe("a verification of the audit finds at once", () => {
  it("an event with the right hash beyond the end", async () => {
    await forgeNext("forged");
    expect(await edited.problems()).toEqual(["FORGED 3"]);
  });

  it("several of them, and takes the change that comes next for what it is", async () => {
    await forgeNext("first");
    await forgeNext("second");
    expect(await edited.problems()).toEqual(["FORGED 3"]);
    await createKey(edited.parts, KEY, "");
    expect(await edited.problems()).toEqual(["FORGED 4"]);
    expect(await edited.newest()).toMatchObject({ requestId: "second" });
  });

  it.each([0, -1, "-9223372036854775808"])("an event with the number %s", async (number) => {
    edited.edit(
      `INSERT INTO audit_events SELECT ${number}, record_kind, record_id, adds_token, time, action, actor_kind, actor_key_id,
        actor_ip, request_id, api, before, after, hash FROM audit_events WHERE revision = 1`,
    );
    expect(await edited.problems()).toEqual([`FORGED ${Number(number)}`]);
  });

  it("an earlier end that is put back, with what came after it written anew", async () => {
    edited.edit("CREATE TABLE aside.head AS SELECT * FROM audit_head");
    await edited.revoke();
    await edited.close();
    edited.edit(
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM aside.head",
      "DELETE FROM audit_events WHERE revision > 2",
    );
    await edited.open();
    expect(await edited.problems()).toEqual(["TRUNCATED 3"]);
    await createKey(edited.parts, KEY, "");
    expect((await edited.problems()).length).toBeGreaterThan(0);
  });

  it("that the record of the end is gone", async () => {
    await edited.close();
    edited.edit("DELETE FROM audit_head");
    await edited.open();
    expect(await edited.problems()).toContainEqual(expect.stringMatching(/^FORGED /));
    expect(edited.alarms.length).toBeGreaterThan(0);
  });

  it("that the end was forged, for ever, also after a start and further changes", async () => {
    await edited.close();
    edited.edit(
      "UPDATE audit_head SET revision = 1, hash = (SELECT hash FROM audit_events WHERE revision = 1)",
    );
    await edited.open();
    expect(await edited.problems()).toContain("FORGED 2");
    await edited.revoke();
    await edited.revoke();
    expect(await edited.problems()).toContain("FORGED 3");
    expect(edited.alarms.length).toBeGreaterThan(0);
    expect(await edited.isFound()).toBe(false);
  });

  it("a trigger", async () => {
    edited.edit("CREATE TRIGGER t AFTER UPDATE ON usage BEGIN SELECT 1; END");
    expect(await edited.problems()).toEqual(["SCHEMA 2"]);
  });
});

describe("a key that is put back as it was before it was revoked is found out", () => {
  it.each([
    ["its event is deleted", "DELETE FROM audit_events WHERE revision = 3"],
    ["its event is another record's", "UPDATE audit_events SET record_id = 'x' WHERE revision = 3"],
    ["nothing else is done", "SELECT 1"],
    ["the row of the revocation is kept beside it", "INSERT INTO keys SELECT * FROM aside.revoked"],
  ])("where %s", async (_what, statement) => {
    edited.edit("CREATE TABLE aside.kept AS SELECT * FROM keys");
    await edited.revoke();
    edited.edit(
      "CREATE TABLE aside.revoked AS SELECT * FROM keys",
      "UPDATE aside.revoked SET id = 'x'",
      "DELETE FROM keys",
      "INSERT INTO keys SELECT * FROM aside.kept",
      statement,
    );
    expect(await edited.problems()).toContainEqual(expect.stringMatching(/^RECORDS /));
    // What is written meanwhile makes it no better.
    await createKey(edited.parts, KEY, "");
    expect(await edited.problems()).toContainEqual(expect.stringMatching(/^RECORDS /));
  });

  it("also after the seal key was rotated, and everything sealed anew", async () => {
    const next = createSealKey(Buffer.alloc(32, 9));
    edited.edit("CREATE TABLE aside.kept AS SELECT * FROM keys");
    await edited.revoke();
    await edited.close();
    await edited.open(next, SEAL_KEY);
    const isSealedAnew = () =>
      edited.ask<string>("SELECT lower(hex(substr(seal, 1, 4))) FROM keys") === next.id;
    await expect.poll(isSealedAnew, { interval: 5, timeout: 10_000 }).toBe(true);
    expect(await edited.problems()).toEqual([]);
    edited.edit("DELETE FROM keys", "INSERT INTO keys SELECT * FROM aside.kept");
    expect(await edited.problems()).toContainEqual(expect.stringMatching(/^RECORDS /));
  });
});

it("a checkpoint of an end that was forged is not signed, and raises an alarm", async () => {
  await edited.close();
  edited.edit("UPDATE audit_head SET revision = 1");
  await edited.open();
  expect(edited.alarms).toContainEqual(expect.stringMatching(/^AUDIT_FORGED /));
  await expect(createAuditCheckpoint(edited.parts)).rejects.toMatchObject({
    status: "DATA_LOSS",
    reason: "AUDIT_FORGED",
  });
});

it("what the audit vouches for is sound after every kind of change, and after a restart", async () => {
  await disableKey(edited.parts, { keyId: edited.key.id, etag: "" });
  await edited.revoke();
  await createKey(edited.parts, KEY, "");
  expect(await edited.problems()).toEqual([]);
  await edited.close();
  await edited.open();
  await createKey(edited.parts, KEY, "");
  expect(await edited.problems()).toEqual([]);
  expect(edited.alarms).toEqual([]);
});
