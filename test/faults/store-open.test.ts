import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ENTRY, testApi } from "../support/records.ts";
import { attemptToOpen, openStoreAt, refused, treeOf } from "./store-open-attempt.ts";
import { startKilled } from "./store-open-processes.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-open-"));
  path = join(directory, "data", "keywarden.db");
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A database that was used and closed, without the lock file: as if it came from a backup. */
let healthy: Buffer;

beforeAll(async () => {
  const made = mkdtempSync(join(tmpdir(), "keywarden-open-"));
  const store = await openStoreAt(join(made, "keywarden.db"));
  await store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  await store.close();
  healthy = readFileSync(join(made, "keywarden.db"));
  rmSync(made, { recursive: true });
});

function putStore(content: Uint8Array): void {
  mkdirSync(join(directory, "data"), { mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
}

describe("a new store", () => {
  it("is open to nobody but its owner: directory 0700, files 0600", async () => {
    const store = await openStoreAt(path);
    await store.commit({ kind: "create-api", api: testApi() }, ENTRY);
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
    putStore(healthy);
    chmodSync(join(directory, "data"), 0o755);
    chmodSync(path, 0o644);
    await (await openStoreAt(path)).close();
    const after = treeOf(join(directory, "data"));
    expect(after["."]).toBe("directory 755");
    expect(after["keywarden.db"]).toMatch(/^file 600 /);
  });

  it("once closed is one file and an empty lock, and opens again", async () => {
    putStore(healthy);
    expect(await attemptToOpen(path)).toEqual({ outcome: "opened", changed: ["keywarden.db.lock"] });
    expect(Object.keys(treeOf(join(directory, "data")))).toEqual([".", "keywarden.db", "keywarden.db.lock"]);
    expect(readFileSync(`${path}.lock`)).toHaveLength(0);
  });
});

describe("a start is refused, and changes nothing, on", () => {
  const page = 4096;
  const damages: readonly (readonly [damage: string, damaged: () => Uint8Array])[] = [
    ["random bytes", () => randomBytes(healthy.length)],
    ["text", () => Buffer.from("# settings\n".repeat(1_000))],
    ["a file that ends within its header", () => healthy.subarray(0, 50)],
    ["a file that ends with its header", () => healthy.subarray(0, 100)],
    ["a file that ends after its first page", () => healthy.subarray(0, page)],
    ["half of a file", () => healthy.subarray(0, healthy.length / 2)],
    ["a file without its last byte", () => healthy.subarray(0, -1)],
    ["an impossible page size", () => patched(healthy, 16, 0x0f)],
    ["a schema that can't be read", () => patched(healthy, 100, 0xff)],
    ...Array.from({ length: 16 }, (_, at) => {
      const flipped = () => patched(healthy, at, (healthy[at] ?? 0) ^ 0x20);
      return [`a header with byte ${at} flipped`, flipped] as const;
    }),
  ];

  it.each(damages)("a corrupt file: %s", async (_damage, damaged) => {
    putStore(damaged());
    expect(await attemptToOpen(path)).toEqual(refused("STORE_CORRUPT"));
  });

  it("a log whose database is gone", async () => {
    putStore(Buffer.alloc(0));
    writeFileSync(`${path}-wal`, "what is left");
    expect(await attemptToOpen(path)).toEqual(refused("STORE_CORRUPT"));
    rmSync(path);
    expect(await attemptToOpen(path)).toEqual(refused("STORE_CORRUPT"));
  });

  it.each(["delete", "wal"])("another application's database, in journal mode %s", async (mode) => {
    mkdirSync(join(directory, "data"));
    const foreign = new Database(path);
    foreign.pragma(`journal_mode = ${mode}`);
    foreign.exec("CREATE TABLE songs (title TEXT)");
    foreign.close();
    expect(await attemptToOpen(path)).toEqual(refused("STORE_FOREIGN"));
  });

  it("a database whose application id was changed", async () => {
    putStore(patched(healthy, 68, 0));
    expect(await attemptToOpen(path)).toEqual(refused("STORE_FOREIGN"));
  });

  it("a database of a newer schema", async () => {
    putStore(healthy);
    const newer = new Database(path);
    newer.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('newer', 9999999999999)");
    newer.close();
    expect(await attemptToOpen(path)).toEqual(refused("STORE_NEWER_SCHEMA"));
  });

  it("a database of a newer schema whose writer was killed", async () => {
    putStore(healthy);
    const writer = await startKilled(["store-open-newer-writer.ts", path]);
    await writer.kill();
    expect(existsSync(`${path}-wal`)).toBe(true);
    // What readers share (-shm) is made anew from the log whenever a database is opened, and is never data.
    const changed = ["keywarden.db-shm"];
    expect(await attemptToOpen(path)).toEqual({ ...refused("STORE_NEWER_SCHEMA"), changed });
  });

  it("a directory where the file should be", async () => {
    mkdirSync(path, { recursive: true });
    expect(await attemptToOpen(path)).toEqual(refused("STORE_NOT_WRITABLE"));
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
