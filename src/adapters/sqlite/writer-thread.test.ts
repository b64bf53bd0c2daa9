import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { creation } from "../../../test/conformance/store-subject.ts";
import { ENTRY, SEAL_KEY, testApi } from "../../../test/support/records.ts";
import type { SchemaObject } from "./schema-objects.ts";
import { setUpDatabase } from "./set-up-database.ts";
import { startWriterWorker, WriterThread } from "./writer-thread.ts";

let directory: string;
let path: string;
let failures: unknown[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-writer-"));
  path = join(directory, "keywarden.db");
  failures = [];
});

afterEach(() => rmSync(directory, { recursive: true }));

async function startWriter(schema: readonly SchemaObject[] = []) {
  const worker = startWriterWorker({ path, sealKeys: [SEAL_KEY], schema });
  const writer = new WriterThread(worker, {
    onFailure: (error) => failures.push(error),
    onSealing: () => {},
    onRefusedRow: (error) => failures.push(error),
    onForeignWrite: () => failures.push("foreign write"),
  });
  return { worker, writer };
}

it("if the thread that writes dies, whoever waits is told that the outcome is not known, and nothing is made any more", async () => {
  new Database(path).close();
  const { worker, writer } = await startWriter(setUpDatabase(path));
  await writer.ready;
  await writer.commit({ kind: "create-api", api: testApi() }, ENTRY);
  const pending = Promise.allSettled(
    [1, 2, 3].map((number) => writer.commit(creation(testApi(), number), ENTRY)),
  );
  await worker.terminate();
  for (const settled of await pending) {
    expect(settled).toMatchObject({
      reason: { reason: "STORE_UNAVAILABLE", message: expect.stringContaining("not known") },
    });
  }
  expect(failures).toEqual([expect.objectContaining({ reason: "STORE_UNAVAILABLE" })]);
  await expect(writer.commit(creation(testApi(), 4), ENTRY)).rejects.toMatchObject({
    reason: "STORE_UNAVAILABLE",
    message: expect.stringContaining("not made"),
  });
  await expect(writer.close()).resolves.toBeUndefined();
});

it("if the database can't be opened, the thread says why and ends, which is no failure of its own", async () => {
  writeFileSync(path, "no database, and long enough to be one".repeat(100));
  const { writer } = await startWriter();
  await expect(writer.ready).rejects.toMatchObject({
    status: "FAILED_PRECONDITION",
    reason: "STORE_CORRUPT",
  });
  await writer.close();
  expect(failures).toEqual([]);
});
