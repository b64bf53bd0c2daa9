import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { codeOf } from "./error-code.ts";
import { MOST_BYTES } from "./secret-lines.ts";
import type { Refuse } from "./secret-refusal.ts";

/** Others on the machine, who are neither the owner nor in the file's group. */
const OTHERS = 0o007;

/**
 * The content of a file of secrets, to be zeroed by whoever asked; undefined if there is no such file. A group may read
 * it: that is how Kubernetes and systemd give a secret to a process that is not root.
 * Throws `refuse`: EXPOSED, UNREADABLE.
 */
export function readSecretFile(path: string, refuse: Refuse): Buffer | undefined {
  let file: number;
  try {
    // Without waiting for whoever may write into a pipe one day.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw refuse("UNREADABLE", `${path} cannot be read (${codeOf(error)})`, error);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw refuse("UNREADABLE", `${path} is no file`);
    if ((stats.mode & OTHERS) !== 0) {
      throw refuse("EXPOSED", `everyone on this machine can open ${path}; run: chmod 600 ${path}`);
    }
    return readWhole(file, path, refuse);
  } finally {
    closeSync(file);
  }
}

function readWhole(file: number, path: string, refuse: Refuse): Buffer {
  const text = Buffer.alloc(MOST_BYTES + 1);
  let length = 0;
  while (length < text.length) {
    const read = readSync(file, text, length, text.length - length, null);
    if (read === 0) return text.subarray(0, length);
    length += read;
  }
  text.fill(0);
  throw refuse("UNREADABLE", `${path} is larger than ${MOST_BYTES} bytes`);
}
