import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { KeyId } from "../../src/domain/key.ts";
import { KeywardenError } from "../../src/domain/keywarden-error.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { Store } from "../../src/ports/store.ts";
import { creation, digestOf } from "../conformance/store-subject.ts";
import { ENTRY, testApi } from "../support/records.ts";
import { attemptToOpen, openStoreAt } from "./store-open-attempt.ts";

/*
 * What a store does on a disk of its own, which is small: run by `unshare --map-root-user --mount`, so that the disk
 * is gone with the process. Prints what it saw; the test says what that should be.
 */
const [scenario = "", directory = ""] = process.argv.slice(2);
const path = join(directory, "keywarden.db");
const newPath = join(directory, "new", "deep", "keywarden.db");
const filler = join(directory, "filler");

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  async "read-only"() {
    await makeStore();
    mount("-o", "remount,bind,ro", directory);
    return { existing: await attemptToOpen(path), missing: await attemptToOpen(newPath) };
  },

  async "full at the start"() {
    await makeStore();
    fill();
    const existing = await attemptToOpen(path);
    const missing = await attemptToOpen(newPath);
    rmSync(filler);
    return { existing, missing, afterwards: await attemptToOpen(path) };
  },

  async "almost full at the start"() {
    const attempts = [];
    for (let free = 64; free <= 512; free += 32) {
      fill(free * 1024);
      attempts.push(await attemptToOpen(newPath));
      rmSync(join(directory, "new"), { recursive: true, force: true });
      rmSync(filler);
    }
    return attempts;
  },

  async "almost out of files"() {
    const attempts = [];
    mkdirSync(join(directory, "few"));
    for (let files = 2; files <= 10; files++) {
      mount("-t", "tmpfs", "-o", `nr_inodes=${files},mode=0700`, "tmpfs", join(directory, "few"));
      attempts.push(await attemptToOpen(join(directory, "few", "new", "keywarden.db")));
    }
    return attempts;
  },

  async "full while running"() {
    let store = await openStoreAt(path);
    const api = {
      ...testApi(),
      revision: await revisionOf(store.commit({ kind: "create-api", api: testApi() }, ENTRY)),
    };
    fill(400 * 1024);
    const acknowledged: KeyId[] = [];
    const problems: unknown[] = [];
    let number = 0;
    const commitSome = async () => {
      const changes = Array.from({ length: 16 }, () => creation(api, ++number));
      for (const [index, settled] of (
        await Promise.allSettled(changes.map((change) => store.commit(change, ENTRY)))
      ).entries()) {
        if (settled.status === "fulfilled") acknowledged.push(changes[index]!.key.id);
        else problems.push(describeError(settled.reason));
      }
    };
    while (problems.length === 0) await commitSome();
    const acknowledgedWhenFull = acknowledged.length;
    const problemsAtFirst = problems.length;
    await commitSome();
    const whenFull = { ...(await whatIsIn(store)), version: typeof store.version() };
    rmSync(filler);
    await commitSome();
    const whenFree = await whatIsIn(store);
    await store.close();
    store = await openStoreAt(path);
    const whenReopened = await whatIsIn(store);
    await store.close();
    return {
      acknowledged,
      acknowledgedWhenFull,
      problems,
      problemsAtFirst,
      whenFull,
      whenFree,
      whenReopened,
    };
  },
};

function mount(...args: readonly string[]): void {
  const program = "mount";
  execFileSync(program, args);
}

async function makeStore(): Promise<void> {
  const store = await openStoreAt(path);
  await store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  await store.close();
}

/** Fills the disk, but for so many bytes. */
function fill(free = 0): void {
  const file = openSync(filler, "w");
  const block = Buffer.alloc(4096);
  let size = 0;
  try {
    for (;;) size += writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
  truncateSync(filler, size - free);
}

async function whatIsIn(store: Store) {
  const keys = await store.listKeys({}, "", 100_000);
  const { value } = await store.findTokens([digestOf(1)]);
  const { revision } = await store.changesSince(0 as Revision);
  return { ids: keys.map(({ id }) => id), found: value.map(({ key }) => key.id), revision };
}

async function revisionOf(commit: ReturnType<Store["commit"]>): Promise<Revision> {
  const result = await commit;
  if (!result.ok) throw new Error(result.conflict);
  return result.revision;
}

function describeError(error: unknown): unknown {
  return error instanceof KeywardenError
    ? { status: error.status, reason: error.reason, message: error.message }
    : String(error);
}

mkdirSync(directory, { recursive: true });
mount("-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", directory);
console.log(JSON.stringify(await scenarios[scenario]?.()));
