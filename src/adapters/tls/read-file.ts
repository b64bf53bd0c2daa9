import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { tlsRefusal } from "./tls-refusal.ts";

/** A file, and the setting that names it, such as `--tls-cert`: error messages have both. */
export interface NamedFile {
  readonly setting: string;
  readonly path: string;
}

/** A bundle of every public certificate authority is a fifth of it. */
const GREATEST_FILE = 1024 * 1024;

/** Throws FAILED_PRECONDITION TLS_UNREADABLE. */
export function readNamedFileSync(file: NamedFile): string {
  try {
    refuseNonFile(statSync(file.path));
    return readFileSync(file.path, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Rejects with FAILED_PRECONDITION TLS_UNREADABLE. */
export async function readNamedFile(file: NamedFile): Promise<string> {
  try {
    refuseNonFile(await stat(file.path));
    return await readFile(file.path, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** A pipe or a device would be read for ever. */
function refuseNonFile(found: { isFile(): boolean; readonly size: number }): void {
  if (!found.isFile()) throw new RangeError("is not a regular file");
  if (found.size > GREATEST_FILE) throw new RangeError(`has more than ${GREATEST_FILE} bytes`);
}

function unreadable({ setting, path }: NamedFile, error: unknown): Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  const why =
    code === "ENOENT"
      ? "does not exist"
      : code === "EACCES"
        ? "may not be read by the user that the server runs as"
        : error instanceof RangeError
          ? error.message
          : `cannot be read (${code ?? "unknown error"})`;
  return tlsRefusal("TLS_UNREADABLE", `${setting} ${path} ${why}: give a file in PEM format`, error);
}
