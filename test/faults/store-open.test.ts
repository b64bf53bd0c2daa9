import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testApi } from "../support/records.ts";
import { attemptToOpen, openStoreAt, treeOf } from "./store-open-attempt.ts";
import { startKilled } from "./store-open-processes.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-open-"));
  path = join(directory, "data", "keywarden.db");
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A store that was used and closed, without the lock file: as if it came from a backup. */
async function makeStore(): Promise<void> {
  const store = await openStoreAt(path);
  await store.commit({ kind: "create-api", api: testApi() });
  await store.close();
  rmSync(`${path}.lock`);
}

async function expectRefusal(reason: string): Promise<void> {
  const { outcome, before, after } = await attemptToOpen(path);
  expect(outcome).toMatchObject({ status: "FAILED_PRECONDITION", reason });
  expect(outcome).toHaveProperty("message", expect.stringContaining(path));
  expect(after).toEqual(before);
}

describe("a new store", () => {
  it("is open to nobody but its owner: directory 0700, files 0600", async () => {
    const store = await openStoreAt(path);
    await store.commit({ kind: "create-api", api: testApi() });
    const open = treeOf(directory);
    await store.close();
    const modes = Object.entries(open).map(([name, file]) => [name, file.split(" ").slice(0, 2).join(" ")]);
    expect(Object.fromEntries(modes)).toEqual({
      ".": "directory 700",
      data: "directory 700",
      "data/keywarden.db": "file 600",
      "data/keywarden.db-shm": "file 600",
      "data/keywarden.db-wal": "file 600",
      "data/keywarden.db.lock": "file 600",
    });
  });

  it("leaves the modes of a directory that was there, and closes its own files to others", async () => {
    await makeStore();
    chmodSync(join(directory, "data"), 0o755);
    chmodSync(path, 0o644);
    const { outcome, after } = await attemptToOpen(path);
    expect(outcome).toBe("opened");
    expect(after["."]).toBe("directory 755");
    expect(after["keywarden.db"]).toMatch(/^file 600 /);
  });

  it("once closed is one file and an empty lock, and opens again", async () => {
    await makeStore();
    const { outcome, after } = await attemptToOpen(path);
    expect(outcome).toBe("opened");
    expect(Object.keys(after)).toEqual([".", "keywarden.db", "keywarden.db.lock"]);
    expect(readFileSync(`${path}.lock`)).toHaveLength(0);
  });
});

describe("a start is refused, and changes nothing, on", () => {
  const page = 4096;
  const damages: readonly (readonly [damage: string, damaged: (bytes: Buffer) => Uint8Array])[] = [
    ["random bytes", (bytes) => randomBytes(bytes.length)],
    ["text", () => Buffer.from("# settings\n".repeat(1_000))],
    ["a file that ends within its header", (bytes) => bytes.subarray(0, 50)],
    ["a file that ends with its header", (bytes) => bytes.subarray(0, 100)],
    ["a file that ends after its first page", (bytes) => bytes.subarray(0, page)],
    ["half of a file", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["a file without its last byte", (bytes) => bytes.subarray(0, -1)],
    ["an impossible page size", (bytes) => patched(bytes, 16, 0x0f)],
    ["a schema that can't be read", (bytes) => patched(bytes, 100, 0xff)],
    ...Array.from({ length: 16 }, (_, at) => {
      const flipped = (bytes: Buffer) => patched(bytes, at, (bytes[at] ?? 0) ^ 0x20);
      return [`a header with byte ${at} flipped`, flipped] as const;
    }),
  ];

  it.each(damages)("a corrupt file: %s", async (_damage, damaged) => {
    await makeStore();
    writeFileSync(path, damaged(readFileSync(path)));
    await expectRefusal("STORE_CORRUPT");
  });

  it("a log whose database is gone", async () => {
    await makeStore();
    writeFileSync(path, "");
    writeFileSync(`${path}-wal`, "what is left");
    await expectRefusal("STORE_CORRUPT");
    rmSync(path);
    await expectRefusal("STORE_CORRUPT");
  });

  it.each(["delete", "wal"])("another application's database, in journal mode %s", async (mode) => {
    mkdirSync(join(directory, "data"));
    const foreign = new Database(path);
    foreign.pragma(`journal_mode = ${mode}`);
    foreign.exec("CREATE TABLE songs (title TEXT)");
    foreign.close();
    await expectRefusal("STORE_FOREIGN");
  });

  it("a database whose application id was changed", async () => {
    await makeStore();
    writeFileSync(path, patched(readFileSync(path), 68, 0));
    await expectRefusal("STORE_FOREIGN");
  });

  it("a database of a newer schema", async () => {
    await makeStore();
    const newer = new Database(path);
    newer.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('newer', 9999999999999)");
    newer.close();
    await expectRefusal("STORE_NEWER_SCHEMA");
  });

  it("a database of a newer schema whose writer was killed", async () => {
    await makeStore();
    const writer = await startKilled(["store-open-newer-writer.ts", path]);
    await writer.kill();
    const { outcome, before, after } = await attemptToOpen(path);
    expect(outcome).toMatchObject({ reason: "STORE_NEWER_SCHEMA" });
    // What readers share (-shm) is made anew from the log whenever a database is opened, and is never data.
    const shared = { "keywarden.db-shm": expect.any(String) };
    expect(before).toHaveProperty(["keywarden.db-wal"]);
    expect(after).toEqual({ ...before, ...shared });
  });

  it("a directory where the file should be", async () => {
    mkdirSync(path, { recursive: true });
    await expectRefusal("STORE_NOT_WRITABLE");
  });

  it("a file where the directory should be", async () => {
    writeFileSync(join(directory, "data"), "");
    const outcome = openStoreAt(path);
    await expect(outcome).rejects.toMatchObject({ reason: "STORE_NOT_WRITABLE" });
    expect(Object.keys(treeOf(directory))).toEqual([".", "data"]);
  });
});

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}
