import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openReaderConnection, openWriterConnection } from "./connection.ts";
import { setUpDatabase } from "./set-up-database.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-connection-"));
  path = join(directory, "keywarden.db");
  new Database(path).close();
});

afterEach(() => rmSync(directory, { recursive: true }));

it("the writer waits for the disk at each commit, and keeps foreign keys", () => {
  setUpDatabase(path);
  const writer = openWriterConnection(path);
  const settings = ["journal_mode", "synchronous", "foreign_keys", "trusted_schema"];
  expect(settings.map((name) => writer.pragma(name, { simple: true }))).toEqual(["wal", 2, 1, 0]);
  expect(() =>
    writer.exec("INSERT INTO tokens VALUES (zeroblob(32), 'no key', 'no pepper', 1, zeroblob(20))"),
  ).toThrow(/FOREIGN/);
  writer.close();
});

it("a reader can't write, whatever it is asked to", () => {
  setUpDatabase(path);
  const writer = openWriterConnection(path);
  const reader = openReaderConnection(path);
  expect(() => reader.exec("DELETE FROM keys")).toThrow(/readonly/);
  reader.pragma("query_only = OFF");
  expect(() => reader.exec("DELETE FROM keys")).toThrow(/readonly/);
  reader.close();
  writer.close();
});

it("a database that has no log is not one to read or write: it was not set up", () => {
  expect(() => openWriterConnection(path)).toThrow(/journal_mode/);
  expect(() => openReaderConnection(path)).toThrow(/journal_mode/);
});

it("setting up a database again changes nothing", () => {
  setUpDatabase(path);
  const before = new Database(path, { readonly: true }).serialize();
  setUpDatabase(path);
  expect(new Database(path, { readonly: true }).serialize()).toEqual(before);
});
