import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "./refusal.ts";

/** Takes back what a start that then failed had made. */
export type Undo = () => void;

const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/** Bytes that must be free: what an empty store and its shared memory take, and some changes. */
const ROOM = 256 * 1024;

/** Makes the directory, open to its owner only, and those above it that are missing. One that exists stays as it is. */
export function makeDirectory(directory: string): Undo {
  if (existsSync(directory)) return () => {};
  const undoAbove = makeDirectory(dirname(directory));
  try {
    mkdirSync(directory, { mode: OWNER_ONLY_DIRECTORY });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return undoAbove;
    undoAbove();
    throw error;
  }
  return () => {
    removeIfEmpty(directory);
    undoAbove();
  };
}

/** Another process may have begun to use it meanwhile. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(error))) throw error;
  }
}

/** Makes an empty file, open to its owner only from the first moment. One that exists stays as it is, unopened. */
export function makeFile(path: string, companions: readonly string[] = []): Undo {
  try {
    closeSync(openSync(path, "wx", OWNER_ONLY));
  } catch (error) {
    if (codeOf(error) === "EEXIST") return () => {};
    throw error;
  }
  return () => {
    for (const made of [path, ...companions]) rmSync(made, { force: true });
  };
}

/** Takes from others what access they have to the files that exist. */
export function closeToOthers(paths: readonly string[]): void {
  for (const path of paths) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY);
  }
}

/** Throws the operating system's error unless the files that exist may be written. */
export function assertWritable(paths: readonly string[]): void {
  for (const path of paths) if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
}

/** Throws the operating system's error unless a file can be made in the directory and there is room. */
export function assertRoom(directory: string): void {
  const path = join(directory, `.keywarden-room-${process.pid}`);
  try {
    writeFileSync(path, Buffer.alloc(ROOM), { mode: OWNER_ONLY, flush: true });
  } finally {
    rmSync(path, { force: true });
  }
}
