import { createReadStream, createWriteStream, existsSync, rmSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { giveToOwner } from "../adapters/files/give-to-owner.ts";
import { bringUpToDate, claimPlace, replaceStore, storeFiles } from "../adapters/sqlite/backup-place.ts";
import { hasLog, inspectHeader, inspectSchema } from "../adapters/sqlite/inspect-database.ts";
import { openInspection } from "../adapters/sqlite/inspection.ts";
import { refusalOf } from "../adapters/sqlite/refusal.ts";
import { lockFile } from "../adapters/sqlite/writer-lock.ts";
import type { Keyring } from "../domain/keyring.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { LostChanges, OnProgress, Restoration } from "../domain/store-care.ts";
import type { MachineSettings } from "../settings.ts";
import { auditRestore } from "./audit-restore.ts";
import { copyRefusal } from "./copy-refusal.ts";
import { lostChanges } from "./lost-changes.ts";
import { refused } from "./refused.ts";
import { removedIfInterrupted } from "./removed-if-interrupted.ts";
import { keyringOf, namedSecrets } from "./stored-secrets.ts";
import { verifiedCopy } from "./verified-copy.ts";

interface RestoreOptions {
  /** Put it in the place of a store that is there, which is kept under another name. */
  readonly replace: boolean;
  readonly onProgress: OnProgress;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Puts a backup in the place of the store, once everything in it was checked. It rolls every change since back.
 * Rejects, and leaves everything as it was, with FAILED_PRECONDITION: STORE_IN_USE, STORE_EXISTS, STORE_FOREIGN,
 * PEPPER_…, SEAL_KEY_…, COPY_MISSING, COPY_HAS_LOG, COPY_MISPLACED, COPY_DISK_FULL, COPY_NOT_WRITTEN, and STORE_CORRUPT,
 * STORE_NEWER_SCHEMA or SCHEMA_ALTERED of the backup; with DATA_LOSS (COPY_UNSOUND).
 */
export async function restore(
  settings: MachineSettings,
  file: string,
  options: RestoreOptions,
): Promise<Restoration> {
  const places = { from: resolve(file), to: resolve(settings.store.file) };
  refuseSource(places);
  const claim = claimPlace(places.to);
  const unfinished = `${places.to}.restoring`;
  const removal = removedIfInterrupted(...copyFiles(unfinished));
  try {
    refuseTarget(places.to, options.replace);
    // The place is ours: what lies there was left by somebody who was interrupted.
    removeCopy(unfinished);
    const restoration = await restored(settings, { ...places, unfinished }, options);
    claim.release();
    return restoration;
  } catch (error) {
    removeCopy(unfinished);
    claim.abandon();
    throw copyRefusal(error, places);
  } finally {
    removal.release();
  }
}

interface Places {
  readonly from: string;
  readonly to: string;
  readonly unfinished: string;
}

async function restored(
  settings: MachineSettings,
  { from, to, unfinished }: Places,
  { onProgress, now }: RestoreOptions,
): Promise<Restoration> {
  const began = performance.now();
  await copyFile(from, unfinished, onProgress);
  makeUsable(unfinished, from);
  const keyring = await fittingKeyring(settings, unfinished);
  const verified = await verifiedCopy(unfinished, keyring.sealKeys, onProgress);
  const lost = await lostIn(to, unfinished, keyring);
  await auditRestore(unfinished, keyring, lost, now);
  rmSync(lockFile(unfinished), { force: true });
  for (const made of [unfinished, lockFile(to)]) giveToOwner(made, to);
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  return {
    file: to,
    ...verified,
    durationMs: Math.round(performance.now() - began),
    secrets: namedSecrets(keyring, settings),
    replaced: replaceStore(to, unfinished, stamp),
    lost: typeof lost === "string" ? null : lost,
    unreadable: typeof lost === "string" ? lost : "",
  };
}

/** All that lies beside a copy while it is written, and the copy itself. */
function copyFiles(path: string): readonly string[] {
  return [...storeFiles(path), lockFile(path)];
}

function removeCopy(path: string): void {
  for (const file of copyFiles(path)) rmSync(file, { force: true });
}

function refuseSource({ from, to }: { readonly from: string; readonly to: string }): void {
  if (storeFiles(to).includes(from)) {
    throw refused("COPY_MISPLACED", `${from} is the store itself: name a backup of it`);
  }
  if (!existsSync(from)) throw refused("COPY_MISSING", `there is no backup at ${from}`);
  if (!hasLog(from)) return;
  throw refused(
    "COPY_HAS_LOG",
    `${from} has a log beside it (${basename(from)}-wal), so it is no backup but a database in use: make one with keywarden backup`,
  );
}

function refuseTarget(path: string, replace: boolean): void {
  if (!storeFiles(path).some((name) => existsSync(name))) return;
  if (!replace) {
    throw refused(
      "STORE_EXISTS",
      `there is a store at ${path} already: say --force to put the backup in its place (it is kept under another name)`,
    );
  }
  try {
    inspectHeader(path);
  } catch (error) {
    // A store that is beyond reading is what backups are for. What belongs to somebody else stays.
    const problem = refusalOf(error, path);
    if (problem.reason !== "STORE_CORRUPT") throw problem;
  }
}

/** Copies a file into a new one that only its owner may read, and returns once it is on the disk. */
async function copyFile(from: string, to: string, onProgress: OnProgress): Promise<void> {
  const total = statSync(from).size;
  let done = 0;
  await pipeline(
    createReadStream(from),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        done += chunk.length;
        onProgress({ step: "copying", done, total, unit: "bytes" });
        yield chunk;
      }
    },
    createWriteStream(to, { flags: "wx", mode: 0o600, flush: true }),
  );
}

/**
 * Brings the copy up to this build's schema. Throws STORE_CORRUPT, STORE_FOREIGN, STORE_NEWER_SCHEMA or SCHEMA_ALTERED in the
 * name of the file that was copied.
 */
function makeUsable(copy: string, from: string): void {
  try {
    if (statSync(copy).size === 0) throw refused("STORE_CORRUPT", `${from} is empty: it is no backup`);
    inspectHeader(copy);
    inspectSchema(copy);
    bringUpToDate(copy);
  } catch (error) {
    const { status, reason, message } = refusalOf(error, copy);
    throw new KeywardenError({ status, reason, message: message.replaceAll(copy, from), cause: error });
  }
}

async function fittingKeyring(settings: MachineSettings, copy: string): Promise<Keyring> {
  const inspection = openInspection(copy);
  try {
    return await keyringOf(settings, inspection);
  } finally {
    inspection.close();
  }
}

/** Null: there was no store. A string: why it can't be read. */
async function lostIn(
  replaced: string,
  copy: string,
  { sealKeys }: Keyring,
): Promise<LostChanges | string | null> {
  if (!existsSync(replaced)) return null;
  const inspection = openInspection(copy);
  try {
    return await lostChanges(replaced, inspection, await inspection.audit(sealKeys).auditHead(), sealKeys);
  } finally {
    inspection.close();
  }
}
