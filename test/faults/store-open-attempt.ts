import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import { KeywardenError } from "../../src/domain/keywarden-error.ts";
import type { Store } from "../../src/ports/store.ts";
import { SEAL_KEY } from "../support/records.ts";

/** What became of an attempt to open a store. */
export interface Attempt {
  readonly outcome:
    | "opened"
    | { readonly status: string; readonly reason: string; readonly namesFile: boolean };
  /** What is different in the store's directory afterwards: a file's content or mode, or that it is there. */
  readonly changed: readonly string[];
}

/** What an attempt should be that is refused for this reason. */
export function refused(reason: string): Attempt {
  return { outcome: { status: "FAILED_PRECONDITION", reason, namesFile: true }, changed: [] };
}

/** By path: what kind of thing it is, its mode, and for a file a hash of its content. */
export type Tree = Readonly<Record<string, string>>;

/** Opens the store and closes it again. No store may be open in this process: reading its files would end its locks. */
export async function attemptToOpen(path: string): Promise<Attempt> {
  const before = treeOf(dirname(path));
  const outcome = await outcomeOf(path);
  const after = treeOf(dirname(path));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return { outcome, changed: [...names].filter((name) => before[name] !== after[name]) };
}

export function openStoreAt(path: string): Promise<Store> {
  return openSqliteStore({
    path,
    unlock: async () => [SEAL_KEY],
    onRefusedRow: rethrow,
    onWriterFailure: rethrow,
  });
}

async function outcomeOf(path: string): Promise<Attempt["outcome"]> {
  try {
    const store = await openStoreAt(path);
    await store.close();
    return "opened";
  } catch (error) {
    if (!(error instanceof KeywardenError)) throw error;
    const { status, reason, message } = error;
    return { status, reason, namesFile: message.includes(path) };
  }
}

export function treeOf(directory: string): Tree {
  if (!existsSync(directory)) return {};
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
  return Object.fromEntries([".", ...names].map((name) => [name, describeFile(join(directory, name))]));
}

function describeFile(path: string): string {
  const { mode } = statSync(path);
  const permissions = (mode & 0o777).toString(8);
  if (statSync(path).isDirectory()) return `directory ${permissions}`;
  return `file ${permissions} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

function rethrow(error: unknown): never {
  throw error;
}

// As a program of its own: prints what became of opening the store that its argument names.
if (import.meta.main) console.log(JSON.stringify(await attemptToOpen(process.argv[2] ?? "")));
