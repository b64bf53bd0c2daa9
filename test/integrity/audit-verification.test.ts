import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuditCheckpoint, verifyAudit } from "../../src/app/audit.ts";
import { createApi } from "../../src/app/create-api.ts";
import { createKey } from "../../src/app/create-key.ts";
import { disableKey } from "../../src/app/disable-key.ts";
import type { ApiId } from "../../src/domain/api.ts";
import { CheckpointKeys } from "../../src/domain/audit-checkpoint.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { createSealKey } from "../../src/domain/seal.ts";
import { KEY } from "../support/authority.ts";
import { SEAL_KEY, testApi } from "../support/records.ts";
import { someHistory } from "./some-history.ts";
import { storeOnFile } from "./store-on-file.ts";

const onFile = storeOnFile();
const { edit, problems } = onFile;

describe("a verification of the audit", () => {
  it("finds nothing where nothing was done, also of an empty one and across a restart", async () => {
    await someHistory(onFile.parts);
    expect(await problems(await createAuditCheckpoint(onFile.parts))).toEqual([]);
    await onFile.close();
    await onFile.open();
    await createKey(onFile.parts, KEY, "");
    expect(await problems()).toEqual([]);
  });

  it("finds an edit of any column, in every event", async () => {
    await someHistory(onFile.parts);
    const { head } = await verifyAudit(onFile.parts, 1 as Revision, undefined);
    const columns = columnsOfEvents();
    expect(columns.length).toBeGreaterThan(10);
    for (const { name, type } of columns) {
      // The second turns a flag over.
      const values = type === "INTEGER" ? [`${name} + 100`, `1 - ${name}`] : [`coalesce(${name}, '') || 'x'`];
      const edits = values.flatMap((value) =>
        Array.from({ length: head }, (_, index) => ({ value, revision: index + 1 })),
      );
      for (const { value, revision } of edits) {
        edit(
          "DROP TABLE IF EXISTS aside.kept",
          "CREATE TABLE aside.kept AS SELECT * FROM audit_events",
          `UPDATE audit_events SET ${name} = ${value} WHERE revision = ${revision}`,
        );
        expect([value, revision, (await problems()).length > 0]).toEqual([value, revision, true]);
        edit("DELETE FROM audit_events", "INSERT INTO audit_events SELECT * FROM kept");
      }
    }
    expect(await problems()).toEqual([]);
  });

  /** What the database has, so that a column that is added is tried as well. */
  function columnsOfEvents(): readonly { readonly name: string; readonly type: string }[] {
    const db = new Database(onFile.path(), { readonly: true });
    const columns = db
      .prepare<[], { name: string; type: string }>("SELECT name, type FROM pragma_table_info('audit_events')")
      .all();
    db.close();
    return columns;
  }

  it("finds a gap, a reordering and a truncation, wherever they are", async () => {
    await someHistory(onFile.parts);
    const checkpoint = await createAuditCheckpoint(onFile.parts);
    expect(checkpoint.revision).toBe(7);
    const cases: [found: readonly string[], statements: readonly string[]][] = [
      [["MISSING 3"], ["DELETE FROM audit_events WHERE revision = 3"]],
      [["MISSING 1"], ["DELETE FROM audit_events WHERE revision <= 2"]],
      [["TRUNCATED 6"], ["DELETE FROM audit_events WHERE revision >= 6"]],
      [["TRUNCATED 1"], ["DELETE FROM audit_events"]],
      [
        ["EDITED 2", "EDITED 3", "EDITED 4"],
        [
          "UPDATE audit_events SET revision = -2 WHERE revision = 2",
          "UPDATE audit_events SET revision = 2 WHERE revision = 3",
          "UPDATE audit_events SET revision = 3 WHERE revision = -2",
        ],
      ],
    ];
    for (const [expected, statements] of cases) {
      edit(
        "DROP TABLE IF EXISTS aside.kept",
        "DROP TABLE IF EXISTS aside.kept_head",
        "CREATE TABLE aside.kept AS SELECT * FROM audit_events",
        "CREATE TABLE aside.kept_head AS SELECT * FROM audit_head",
        ...statements,
      );
      expect([statements[0], await problems()]).toEqual([statements[0], expected]);
      edit(
        "DELETE FROM audit_events",
        "INSERT INTO audit_events SELECT * FROM kept",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT * FROM kept_head",
      );
    }
    expect(await problems(checkpoint)).toEqual([]);
  });

  it("finds by a checkpoint that was kept what can't be seen without: an old state put back as a whole", async () => {
    const { key } = await createKey(onFile.parts, KEY, "");
    edit(
      "CREATE TABLE aside.kept_events AS SELECT * FROM audit_events",
      "CREATE TABLE aside.kept_head AS SELECT * FROM audit_head",
      "CREATE TABLE aside.kept_keys AS SELECT * FROM keys",
    );
    await disableKey(onFile.parts, { keyId: key.id, etag: "" });
    const checkpoint = await createAuditCheckpoint(onFile.parts);
    // A server that runs puts its end right.
    await onFile.close();
    edit(
      "DELETE FROM audit_events",
      "INSERT INTO audit_events SELECT * FROM kept_events",
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM kept_head",
      "UPDATE keys SET state = k.state, revision = k.revision, seal = k.seal, update_time = k.update_time FROM kept_keys k WHERE keys.id = k.id",
    );
    await onFile.open();
    expect(await problems()).toEqual([]);
    expect(await problems(checkpoint)).toEqual([`TRUNCATED ${checkpoint.revision}`]);
  });

  it("takes no checkpoint that this server did not sign, or that somebody has edited", async () => {
    await someHistory(onFile.parts);
    const { revision, hash, time } = await createAuditCheckpoint(onFile.parts);
    const foreign = new CheckpointKeys([createSealKey(Buffer.alloc(32, 3))]).sign({ revision, hash }, time);
    expect(await problems(foreign)).toEqual([`FORGED ${revision}`]);
    const edited = { ...(await createAuditCheckpoint(onFile.parts)), time: time + 1 };
    expect(await problems(edited)).toEqual([`FORGED ${revision}`]);
    const former = {
      ...onFile.parts,
      checkpointKeys: new CheckpointKeys([createSealKey(Buffer.alloc(32, 3)), SEAL_KEY]),
    };
    const kept = await createAuditCheckpoint(onFile.parts);
    expect((await verifyAudit(former, 1 as Revision, kept)).problems).toEqual([]);
  });

  it("can't begin beyond the audit's end, nor before its first event", async () => {
    await someHistory(onFile.parts);
    for (const from of [9, 1_000, 0, -1]) {
      await expect(verifyAudit(onFile.parts, from as Revision, undefined)).rejects.toMatchObject({
        status: "INVALID_ARGUMENT",
        violations: [{ field: "from_revision" }],
      });
    }
  });

  it("finds records that are newer than the audit: it was cut off together with the record of its end", async () => {
    await createApi(onFile.parts, testApi({ id: "other" as ApiId, tokenPrefix: "oth" }));
    edit("CREATE TABLE aside.kept_head AS SELECT * FROM audit_head");
    await createKey(onFile.parts, KEY, "");
    await onFile.close();
    edit(
      "DELETE FROM audit_events WHERE revision > 2",
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM kept_head",
    );
    await onFile.open();
    expect(await problems()).toEqual(["TRUNCATED 3"]);
  });

  it("finds the same in parts as at once, whatever was edited", async () => {
    await someHistory(onFile.parts);
    const whole = await problems();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 7 }), async (from) => {
        const rest = await verifyAudit(onFile.parts, from as Revision, undefined);
        expect(rest.problems).toEqual([]);
        expect(rest.events).toBe(8 - from);
      }),
    );
    expect(whole).toEqual([]);
  });
});
