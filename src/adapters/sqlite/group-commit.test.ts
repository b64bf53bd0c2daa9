import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { creation, PEPPER } from "../../../test/conformance/store-subject.ts";
import { ENTRY, SEAL_KEY, testApi, testKeyId } from "../../../test/support/records.ts";
import type { Revision } from "../../domain/revision.ts";
import { Sealer } from "../../domain/seal.ts";
import type { Change } from "../../ports/store.ts";
import { createChangeWriter } from "./change-writer.ts";
import { createGroupCommit, type Outcome } from "./group-commit.ts";
import { setUpDatabase } from "./set-up-database.ts";

const api = { ...testApi(), revision: 1 as Revision };

let directory: string;
let db: Database.Database;
let statements: string[];
let commit: (changes: readonly Change[]) => readonly Outcome[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-group-"));
  const path = join(directory, "keywarden.db");
  new Database(path).close();
  const schema = setUpDatabase(path);
  statements = [];
  db = new Database(path, { verbose: (statement) => statements.push(String(statement)) });
  const commitGroup = createGroupCommit(
    db,
    createChangeWriter(db, { sealer: new Sealer([SEAL_KEY]), schema, onRefusedRow: fail }),
  );
  commit = (changes) => commitGroup(changes.map((change) => ({ change, entry: ENTRY })));
  commit([{ kind: "create-api", api: testApi() }]);
});

afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

it("a group of changes is one transaction: one commit, and so one wait for the disk", () => {
  statements = [];
  const outcomes = commit(Array.from({ length: 32 }, (_, number) => creation(api, number)));
  expect(outcomes).toEqual(Array.from({ length: 32 }, (_, number) => ({ ok: true, revision: number + 2 })));
  expect(statements.filter((statement) => /^(BEGIN|COMMIT)/.test(statement))).toEqual([
    "BEGIN IMMEDIATE",
    "COMMIT",
  ]);
});

it("a change that SQLite refuses half-way is taken back alone", () => {
  // Its key and its token are written before the database notices that the request's key is not there.
  const served = { requestId: "request", fingerprint: "", keyId: testKeyId(99), time: 0 };
  const outcomes = commit([creation(api, 1), { ...creation(api, 2), served }, creation(api, 3)]);
  expect(outcomes).toEqual([
    { ok: true, revision: 2 },
    { problem: expect.stringContaining("the change was not made") },
    { ok: true, revision: 3 },
  ]);
  const ids = db.prepare("SELECT id FROM keys ORDER BY id").pluck().all();
  expect(ids).toEqual([1, 3].map(testKeyId));
  expect(db.prepare("SELECT count(*) FROM tokens").pluck().get()).toBe(2);
  expect(db.prepare("SELECT count(*) FROM audit_events").pluck().get()).toBe(3);
  expect(db.prepare("SELECT id FROM peppers").pluck().all()).toEqual([PEPPER]);
});

it("a group that can't be begun is answered, and the next one is made", () => {
  const other = new Database(join(directory, "keywarden.db"));
  db.pragma("busy_timeout = 0");
  other.exec("BEGIN IMMEDIATE");
  expect(commit([creation(api, 1), creation(api, 2)])).toEqual([
    { problem: expect.stringContaining("the change was not made") },
    { problem: expect.stringContaining("the change was not made") },
  ]);
  other.close();
  expect(commit([creation(api, 1)])).toEqual([{ ok: true, revision: 2 }]);
});

it("a group that can't be committed is taken back and answered, and the next one is made", () => {
  // Noticed at the commit only: the request's key is not there.
  db.pragma("defer_foreign_keys = ON");
  const served = { requestId: "request", fingerprint: "", keyId: testKeyId(99), time: 0 };
  const problem = { problem: expect.stringContaining("not known") };
  expect(commit([creation(api, 1), { ...creation(api, 2), served }])).toEqual([problem, problem]);
  expect(db.prepare("SELECT count(*) FROM keys").pluck().get()).toBe(0);
  // Nothing of it counts, also after a group that writes nothing.
  expect(commit([{ kind: "create-api", api: testApi() }])).toEqual([{ ok: false, conflict: "EXISTS" }]);
  expect(commit([creation(api, 1)])).toEqual([{ ok: true, revision: 2 }]);
});

it("requests that were served more than a day ago are forgotten as new ones are served", () => {
  serve(1, 0);
  serve(2, 1);
  serve(3, DAY);
  expect(db.prepare("SELECT request_id FROM served_requests ORDER BY 1").pluck().all()).toEqual([
    "request 2",
    "request 3",
  ]);
});

const DAY = 24 * 60 * 60 * 1000;

function serve(number: number, time: number): void {
  const served = { requestId: `request ${number}`, fingerprint: "", keyId: testKeyId(number), time };
  expect(commit([{ ...creation(api, number), served }])).toMatchObject([{ ok: true }]);
}

function fail(error: Error): never {
  throw error;
}
