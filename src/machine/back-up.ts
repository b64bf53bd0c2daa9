import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { syncDirectory } from "../adapters/files/sync-directory.ts";
import { copyDatabase } from "../adapters/sqlite/backup-copy.ts";
import { storeFiles } from "../adapters/sqlite/backup-place.ts";
import { openInspection } from "../adapters/sqlite/inspection.ts";
import { codeOf } from "../adapters/sqlite/refusal.ts";
import type { Keyring } from "../domain/keyring.ts";
import type { OnProgress, StoreCopy } from "../domain/store-care.ts";
import type { MachineSettings } from "../settings.ts";
import { alreadyThere, copyRefusal, diskFull } from "./copy-refusal.ts";
import { refused } from "./refused.ts";
import { removedIfInterrupted } from "./removed-if-interrupted.ts";
import { keyringOf, namedSecrets } from "./stored-secrets.ts";
import { verifiedCopy } from "./verified-copy.ts";

interface BackUpOptions {
  /** Replace a file that is there. */
  readonly overwrite: boolean;
  readonly onProgress: OnProgress;
}

/**
 * Backs a store up, which a server may be writing meanwhile, into a file that holds it as it was at one instant. The file
 * has its name only once everything in it was checked and is on the disk.
 * Rejects, and leaves no new file, with FAILED_PRECONDITION: STORE_…, PEPPER_…, SEAL_KEY_… as a server would, COPY_EXISTS,
 * COPY_MISPLACED, COPY_DISK_FULL, COPY_NOT_WRITTEN; with DATA_LOSS (COPY_UNSOUND) if the store itself is not sound.
 */
export async function backUp(
  settings: MachineSettings,
  file: string,
  { overwrite, onProgress }: BackUpOptions,
): Promise<StoreCopy> {
  const began = performance.now();
  const places = { from: resolve(settings.store.file), to: resolve(file) };
  refuseMisplaced(settings, places.from, places.to);
  if (!overwrite && existsSync(places.to)) throw alreadyThere(places.to);
  const { keyring, bytes } = await lookedAt(settings);

  // A name of its own, so that two backups to one place do not meet.
  const unfinished = `${places.to}.${randomBytes(4).toString("hex")}.new`;
  const removal = removedIfInterrupted(unfinished);
  try {
    closeSync(openSync(unfinished, "wx", 0o600));
    if (freeBytes(unfinished) < bytes) throw diskFull(places.to);
    await copyDatabase({ from: places.from, to: unfinished }, bytes, onProgress);
    const verified = await verifiedCopy(unfinished, keyring.sealKeys, onProgress);
    place(unfinished, places.to, overwrite);
    return {
      file: places.to,
      ...verified,
      durationMs: Math.round(performance.now() - began),
      secrets: namedSecrets(keyring, settings),
    };
  } catch (error) {
    throw copyRefusal(error, places);
  } finally {
    rmSync(unfinished, { force: true });
    removal.release();
  }
}

/** What there is to copy, and the secrets that it was made with: without them, nobody can say that it is sound. */
async function lookedAt(
  settings: MachineSettings,
): Promise<{ readonly keyring: Keyring; readonly bytes: number }> {
  const inspection = openInspection(settings.store.file);
  try {
    if (inspection.schemaAge === "older") {
      throw refused(
        "STORE_OLDER_SCHEMA",
        `${settings.store.file} was written by an older version: back it up with that one, or start this one's server first`,
      );
    }
    return { keyring: await keyringOf(settings, inspection), bytes: inspection.bytes };
  } finally {
    inspection.close();
  }
}

function refuseMisplaced({ store, pepper, sealKey }: MachineSettings, from: string, to: string): void {
  const secrets = [pepper, sealKey].flatMap((source) =>
    source.kind === "file" ? [resolve(source.path)] : [],
  );
  const own = [
    ...storeFiles(from),
    `${from}.lock`,
    resolve(join(store.directory, "admin-token")),
    ...secrets,
  ];
  if (!own.includes(to)) return;
  throw refused("COPY_MISPLACED", `${to} belongs to the store itself: choose another name`);
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Gives a file that is whole its name, and returns once both are on the disk. */
function place(unfinished: string, path: string, overwrite: boolean): void {
  const file = openSync(unfinished, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (overwrite) renameSync(unfinished, path);
  else nameAnew(unfinished, path);
  syncDirectory(dirname(path));
}

/** Throws EEXIST if somebody has taken the name meanwhile. The file's former name is left to be removed. */
function nameAnew(unfinished: string, path: string): void {
  try {
    linkSync(unfinished, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    // No second names on this disk.
    renameSync(unfinished, path);
  }
}
