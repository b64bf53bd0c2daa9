import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { storeFiles } from "../adapters/sqlite/backup-place.ts";
import type { Finding, Severity } from "../domain/finding.ts";
import type { MachineSettings } from "../settings.ts";
import { accessFindings } from "./doctor-access.ts";

/** A log that is longer was not written back for long. Twice what it is cut to. */
const LONG_LOG = 128 * 1024 * 1024;
/** Bytes without which nothing can be changed soon. */
const LEAST_ROOM = 16 * 1024 * 1024;

/** What is wrong with the store's directory and the files in it. `freeBytes`: on the disk of a directory. */
export function fileFindings(
  { store, pepper, sealKey }: MachineSettings,
  freeBytes: (directory: string) => number,
): readonly Finding[] {
  const [file, directory] = [resolve(store.file), resolve(store.directory)];
  if (!existsSync(directory)) return [];
  const tokenFile = join(directory, "admin-token");
  const own = [...storeFiles(file), `${file}.lock`, tokenFile];
  const sources = [pepper, sealKey].flatMap((source) =>
    source.kind === "file" ? [resolve(source.path)] : [],
  );
  const beside = sources.filter((path) => dirname(path) === directory && sizeOf(path) > 0);
  return [
    ...accessFindings(directory, own),
    ...room(file, directory, freeBytes),
    ...(sizeOf(`${file}-wal`) > LONG_LOG
      ? [
          finding(
            "warning",
            "LOG_LONG",
            `${file}-wal has ${megabytes(sizeOf(`${file}-wal`))} MB, and was not written back into the database for long`,
            "Look for a process that reads the database without end (a shell, a copy), and start the server again",
          ),
        ]
      : []),
    ...leftovers(file, directory),
    ...(sizeOf(tokenFile) > 0
      ? [
          finding(
            "note",
            "ADMIN_TOKEN_FILE",
            `${tokenFile} holds a credential that may do everything`,
            "Keep it elsewhere and delete the file, if others use this machine",
          ),
        ]
      : []),
    ...(beside.length > 0
      ? [
          finding(
            "note",
            "SECRETS_BESIDE_STORE",
            `${beside.map((path) => basename(path)).join(" and ")} lie beside the database: who copies the directory has both`,
            "Keep them apart: --pepper and --seal-key say where they are",
          ),
        ]
      : []),
  ];
}

function room(file: string, directory: string, freeBytes: (directory: string) => number): readonly Finding[] {
  const [free, size] = [freeBytes(directory), sizeOf(file)];
  const what = `the disk of ${directory} has ${megabytes(free)} MB left, and the database has ${megabytes(size)} MB`;
  if (free < LEAST_ROOM) return [finding("error", "DISK_FULL", what, "Make room: changes will be refused")];
  if (free > size + LONG_LOG) return [];
  return [
    finding("warning", "DISK_LOW", what, "Make room for twice the database: its log, and a restore, need it"),
  ];
}

function leftovers(file: string, directory: string): readonly Finding[] {
  const isLeft = (name: string) =>
    name.startsWith(`${basename(file)}.replaced-`) ||
    name.startsWith(`${basename(file)}.restoring`) ||
    /^(admin-token|pepper|seal-key)\.(new|reset)$/.test(name);
  const left = readdirSync(directory).filter(isLeft);
  if (left.length === 0) return [];
  const what = `${left.length} files are left from a restore or an interruption: ${left.slice(0, 20).join(", ")}`;
  return [finding("note", "LEFT_OVER", what, `Delete them from ${directory} once nobody needs them`)];
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1024 / 1024).toLocaleString("en");
}

function finding(severity: Severity, code: string, what: string, next: string): Finding {
  return { severity, code, what, next };
}
