import { createSecretKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { AdminParts, Caller } from "../../src/app/admin-parts.ts";
import { createAuditCheckpoint, listAuditEvents, verifyAudit } from "../../src/app/audit.ts";
import { createApi } from "../../src/app/create-api.ts";
import { createKey } from "../../src/app/create-key.ts";
import { deleteApi } from "../../src/app/delete-api.ts";
import { disableKey } from "../../src/app/disable-key.ts";
import { PageTokens } from "../../src/app/page-tokens.ts";
import { rotateKey } from "../../src/app/rotate-key.ts";
import { updateKey } from "../../src/app/update-key.ts";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import type { AuditCheckpoint } from "../../src/domain/audit-checkpoint.ts";
import { CheckpointKeys } from "../../src/domain/audit-checkpoint.ts";
import { createPepper } from "../../src/domain/digest.ts";
import type { Key } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { createSealKey } from "../../src/domain/seal.ts";
import type { Store } from "../../src/ports/store.ts";
import { KEY } from "../support/authority.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { SEAL_KEY, testApi, testKey } from "../support/records.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let parts: AdminParts;

const path = () => join(directory.path, "keywarden.db");
const openStore = () =>
  openSqliteStore({
    path: path(),
    unlock: async () => [SEAL_KEY],
    // What is refused is what the tests have edited.
    onRefusedRow: () => {},
    onWriterFailure: fail,
  });

function fail(error: unknown): never {
  throw error;
}

const caller: Caller = {
  actor: { kind: "CREDENTIAL", keyId: testKey().id, ip: "192.0.2.7" },
  credential: testKey({ api: "keywarden" as ApiId, scopes: ["*"] }),
  requestId: "request-7",
};

beforeEach(async () => {
  directory = temporaryDirectory();
  store = await openStore();
  parts = {
    store,
    caller,
    pepper: createPepper(randomBytes(32)),
    formerPeppers: [],
    pageTokens: new PageTokens(createSecretKey(randomBytes(32))),
    checkpointKeys: new CheckpointKeys([SEAL_KEY]),
    now: () => 1_000_000,
    randomBytes,
    newKeyId: () => uuidv7() as Key["id"],
  };
  await createApi(parts, testApi());
});

afterEach(async () => {
  await store.close();
  directory.remove();
});

async function someHistory(): Promise<Key> {
  const { key } = await createKey(parts, { ...KEY, scopes: ["orders:read"] }, "");
  const reference = { keyId: key.id, etag: "" };
  await updateKey(parts, reference, { scopes: ["orders:*"] });
  await rotateKey(parts, reference, 60_000, "");
  await createApi(parts, testApi({ id: "gone" as ApiId, tokenPrefix: "gone" }));
  await deleteApi(parts, { apiId: "gone", etag: "" });
  return disableKey(parts, reference);
}

describe("the audit", () => {
  it("says of each change who made it, from where, with which request, and what it was before and after", async () => {
    const key = await someHistory();
    const { items } = await listAuditEvents(parts, {}, { size: 0, token: "" });
    expect(
      items.map(({ action, recordId }) => `${action} ${recordId === key.id ? "key" : recordId}`),
    ).toEqual([
      "DisableKey key",
      "DeleteApi gone",
      "CreateApi gone",
      "RotateKey key",
      "UpdateKey key",
      "CreateKey key",
      "CreateApi orders",
    ]);
    const update = items.find(({ action }) => action === "UpdateKey");
    expect(update).toMatchObject({
      actor: caller.actor,
      requestId: "request-7",
      api: "orders",
      time: parts.now(),
      before: JSON.stringify({ scopes: ["orders:read"] }),
      after: JSON.stringify({ scopes: ["orders:*"] }),
    });
    const deletion = items.find(({ action }) => action === "DeleteApi");
    expect(JSON.parse(deletion?.before ?? "")).toMatchObject({ tokenPrefix: "gone" });
    expect(deletion?.after).toBeNull();
  });

  it("says nothing of a change that was not made", async () => {
    const { head } = await verifyAudit(parts, 1 as Revision, undefined);
    await expect(createApi(parts, testApi())).rejects.toMatchObject({ reason: "API_EXISTS" });
    expect((await verifyAudit(parts, 1 as Revision, undefined)).head).toBe(head);
  });

  it("holds no token and no digest", async () => {
    const { key } = await createKey(parts, KEY, "");
    const issued = await rotateKey(parts, { keyId: key.id, etag: "" }, 1_000, "");
    const db = new Database(path(), { readonly: true });
    const rows = JSON.stringify(db.prepare("SELECT * FROM audit_events").all());
    const digests = db.prepare<[], Buffer>("SELECT digest FROM tokens").pluck().all();
    db.close();
    if (issued.replayed) throw new Error("a new token is no replay");
    expect(rows).not.toContain(issued.token.reveal());
    for (const digest of digests) {
      for (const encoding of ["hex", "base64", "latin1"] as const)
        expect(rows).not.toContain(digest.toString(encoding));
    }
  });

  it("pages through everything once, the newest first, by any filter", async () => {
    const key = await someHistory();
    const filters = [
      {},
      { api: "orders" as ApiId },
      { recordId: key.id },
      { actorKeyId: testKey().id },
      { action: "CreateApi" as const },
    ];
    for (const filter of filters) {
      const whole = await listAuditEvents(parts, filter, { size: 100, token: "" });
      const paged: number[] = [];
      let token = "";
      do {
        const page = await listAuditEvents(parts, filter, { size: 2, token });
        paged.push(...page.items.map(({ revision }) => revision));
        token = page.nextPageToken;
      } while (token !== "");
      expect(paged).toEqual(whole.items.map(({ revision }) => revision));
      expect(paged).toEqual(paged.toSorted((a, b) => b - a));
      expect(paged.length).toBeGreaterThan(0);
    }
    expect((await listAuditEvents(parts, { from: 0, until: 1 }, { size: 0, token: "" })).items).toEqual([]);
  });

  it("is read by a bound credential for its APIs only, and verified by none", async () => {
    await someHistory();
    const bound = (apis: readonly string[], environment: string | null = null) => {
      const binding = { apis: apis as ApiId[], environment: environment as Environment | null };
      return { ...parts, caller: { ...caller, credential: testKey({ binding }) } };
    };
    const { items } = await listAuditEvents(bound(["orders"]), {}, { size: 0, token: "" });
    expect(new Set(items.map(({ api }) => api))).toEqual(new Set(["orders"]));
    const denied = { status: "PERMISSION_DENIED", reason: "CREDENTIAL_BOUND" };
    const page = { size: 0, token: "" };
    await expect(listAuditEvents(bound(["orders"]), { api: "gone" as ApiId }, page)).rejects.toMatchObject(
      denied,
    );
    await expect(listAuditEvents(bound(["orders", "gone"]), {}, page)).rejects.toMatchObject(denied);
    await expect(listAuditEvents(bound([], "test"), {}, page)).rejects.toMatchObject(denied);
    await expect(verifyAudit(bound(["orders"]), 1 as Revision, undefined)).rejects.toMatchObject(denied);
    await expect(createAuditCheckpoint(bound(["orders"]))).rejects.toMatchObject(denied);
  });
});

describe("a verification of the audit", () => {
  async function problems(checkpoint?: AuditCheckpoint): Promise<readonly string[]> {
    const found = await verifyAudit(parts, 1 as Revision, checkpoint);
    return found.problems.map(({ kind, revision }) => `${kind} ${revision}`);
  }

  function tamper(...statements: readonly string[]): void {
    const db = new Database(path());
    db.pragma("ignore_check_constraints = ON");
    db.prepare("ATTACH ? AS aside").run(join(directory.path, "aside.db"));
    for (const statement of statements) db.exec(statement);
    db.close();
  }

  it("finds nothing where nothing was done, also of an empty one and across a restart", async () => {
    await someHistory();
    expect(await problems(await createAuditCheckpoint(parts))).toEqual([]);
    await store.close();
    store = await openStore();
    parts = { ...parts, store };
    await someHistoryAgain();
    expect(await problems()).toEqual([]);
  });

  async function someHistoryAgain(): Promise<void> {
    await createKey(parts, KEY, "");
  }

  it("finds an edit of any column, in every event", async () => {
    await someHistory();
    const { head } = await verifyAudit(parts, 1 as Revision, undefined);
    const columns = columnsOfEvents();
    expect(columns.length).toBeGreaterThan(10);
    for (const { name, type } of columns) {
      // The second turns a flag over.
      const values = type === "INTEGER" ? [`${name} + 100`, `1 - ${name}`] : [`coalesce(${name}, '') || 'x'`];
      const edits = values.flatMap((value) =>
        Array.from({ length: head }, (_, index) => ({ value, revision: index + 1 })),
      );
      for (const { value, revision } of edits) {
        tamper(
          "DROP TABLE IF EXISTS aside.kept",
          "CREATE TABLE aside.kept AS SELECT * FROM audit_events",
          `UPDATE audit_events SET ${name} = ${value} WHERE revision = ${revision}`,
        );
        expect([value, revision, (await problems()).length > 0]).toEqual([value, revision, true]);
        tamper("DELETE FROM audit_events", "INSERT INTO audit_events SELECT * FROM kept");
      }
    }
    expect(await problems()).toEqual([]);
  });

  /** What the database has, so that a column that is added is tried as well. */
  function columnsOfEvents(): readonly { readonly name: string; readonly type: string }[] {
    const db = new Database(path(), { readonly: true });
    const columns = db
      .prepare<[], { name: string; type: string }>("SELECT name, type FROM pragma_table_info('audit_events')")
      .all();
    db.close();
    return columns;
  }

  it("finds a gap, a reordering and a truncation, wherever they are", async () => {
    await someHistory();
    const checkpoint = await createAuditCheckpoint(parts);
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
      tamper(
        "DROP TABLE IF EXISTS aside.kept",
        "DROP TABLE IF EXISTS aside.kept_head",
        "CREATE TABLE aside.kept AS SELECT * FROM audit_events",
        "CREATE TABLE aside.kept_head AS SELECT * FROM audit_head",
        ...statements,
      );
      expect([statements[0], await problems()]).toEqual([statements[0], expected]);
      tamper(
        "DELETE FROM audit_events",
        "INSERT INTO audit_events SELECT * FROM kept",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT * FROM kept_head",
      );
    }
    expect(await problems(checkpoint)).toEqual([]);
  });

  it("finds by a checkpoint that was kept what can't be seen without: an old state put back as a whole", async () => {
    const { key } = await createKey(parts, KEY, "");
    tamper(
      "CREATE TABLE aside.kept_events AS SELECT * FROM audit_events",
      "CREATE TABLE aside.kept_head AS SELECT * FROM audit_head",
      "CREATE TABLE aside.kept_keys AS SELECT * FROM keys",
    );
    await disableKey(parts, { keyId: key.id, etag: "" });
    const checkpoint = await createAuditCheckpoint(parts);
    tamper(
      "DELETE FROM audit_events",
      "INSERT INTO audit_events SELECT * FROM kept_events",
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM kept_head",
      "UPDATE keys SET state = k.state, revision = k.revision, seal = k.seal, update_time = k.update_time FROM kept_keys k WHERE keys.id = k.id",
    );
    expect(await problems()).toEqual([]);
    expect(await problems(checkpoint)).toEqual([`TRUNCATED ${checkpoint.revision}`]);
  });

  it("takes no checkpoint that this server did not sign, or that somebody has edited", async () => {
    await someHistory();
    const { revision, hash, time } = await createAuditCheckpoint(parts);
    const foreign = new CheckpointKeys([createSealKey(Buffer.alloc(32, 3))]).sign({ revision, hash }, time);
    expect(await problems(foreign)).toEqual([`FORGED ${revision}`]);
    const edited = { ...(await createAuditCheckpoint(parts)), time: time + 1 };
    expect(await problems(edited)).toEqual([`FORGED ${revision}`]);
    const former = {
      ...parts,
      checkpointKeys: new CheckpointKeys([createSealKey(Buffer.alloc(32, 3)), SEAL_KEY]),
    };
    const kept = await createAuditCheckpoint(parts);
    expect((await verifyAudit(former, 1 as Revision, kept)).problems).toEqual([]);
  });

  it("can't begin beyond the audit's end, nor before its first event", async () => {
    await someHistory();
    for (const from of [9, 1_000, 0, -1]) {
      await expect(verifyAudit(parts, from as Revision, undefined)).rejects.toMatchObject({
        status: "INVALID_ARGUMENT",
        violations: [{ field: "from_revision" }],
      });
    }
  });

  it("finds records that are newer than the audit: it was cut off together with the record of its end", async () => {
    await createApi(parts, testApi({ id: "other" as ApiId, tokenPrefix: "oth" }));
    tamper("CREATE TABLE aside.kept_head AS SELECT * FROM audit_head");
    await createKey(parts, KEY, "");
    tamper(
      "DELETE FROM audit_events WHERE revision > 2",
      "DELETE FROM audit_head",
      "INSERT INTO audit_head SELECT * FROM kept_head",
    );
    expect(await problems()).toEqual(["TRUNCATED 3"]);
  });

  it("finds the same in parts as at once, whatever was edited", async () => {
    await someHistory();
    const whole = await problems();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 7 }), async (from) => {
        const rest = await verifyAudit(parts, from as Revision, undefined);
        expect(rest.problems).toEqual([]);
        expect(rest.events).toBe(8 - from);
      }),
    );
    expect(whole).toEqual([]);
  });
});
