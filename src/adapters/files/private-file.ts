import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "./sync-directory.ts";

/** Writes a file of mode 0600, whole or not at all, and on disk when this returns. Throws Node's file errors. */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const unfinished = `${path}.new`;
  // What somebody has left there could have another mode, or lead elsewhere.
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, "wx", 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  syncDirectory(dirname(path));
}
