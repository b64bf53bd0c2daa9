import fs from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "./sync-directory.ts";

/** What replacing takes, so that a test can let any of it fail. */
export type FileSteps = Pick<
  typeof fs,
  | "openSync"
  | "writeFileSync"
  | "fchownSync"
  | "fchmodSync"
  | "fsyncSync"
  | "closeSync"
  | "renameSync"
  | "rmSync"
>;

/** How a file that is being written is called beside the one that it will replace. */
export const unfinishedName = (path: string): string => `${path}.new`;

/**
 * Gives a file, which is no symbolic link, new content: afterwards it has the old or the new, and on disk when this
 * returns. Owner and mode stay. While it runs, nobody else can begin the same: EEXIST. `change` is called when that is
 * sure; what it gives is zeroed. Throws what it throws, and Node's file errors.
 */
export function replaceFile(path: string, change: () => Uint8Array, steps: FileSteps = fs): void {
  const unfinished = unfinishedName(path);
  const file = steps.openSync(unfinished, "wx", 0o600);
  try {
    try {
      write(file, path, change(), steps);
    } finally {
      steps.closeSync(file);
    }
    steps.renameSync(unfinished, path);
  } catch (error) {
    steps.rmSync(unfinished, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

function write(file: number, path: string, content: Uint8Array, steps: FileSteps): void {
  try {
    const { uid, gid, mode } = fs.statSync(path);
    const made = fs.fstatSync(file);
    if (made.uid !== uid || made.gid !== gid) steps.fchownSync(file, uid, gid);
    steps.fchmodSync(file, mode & 0o777);
    steps.writeFileSync(file, content);
    steps.fsyncSync(file);
  } finally {
    content.fill(0);
  }
}
