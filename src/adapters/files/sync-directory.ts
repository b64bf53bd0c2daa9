import { closeSync, fsyncSync, openSync } from "node:fs";

/** Returns once what was made, renamed or removed in a directory is on disk. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
