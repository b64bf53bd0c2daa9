import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { inspectHeader, inspectSchema } from "./inspect-database.ts";
import {
  assertRoom,
  assertWritable,
  closeToOthers,
  makeDirectory,
  makeFile,
  type Undo,
} from "./store-files.ts";
import { lockFile, takeWriterLock } from "./writer-lock.ts";

/** The files of a store, which are this process's until it gives them back. */
export interface StoreClaim {
  release(): void;
  /** Releases them, and removes those that the claim had made. */
  abandon(): void;
}

/**
 * Makes sure that the files may be opened, and takes them. Throws, with nothing changed on the disk, a refusal or
 * the error of SQLite or the operating system that `refusalOf` understands.
 */
export function claimStore(path: string): StoreClaim {
  const directory = dirname(path);
  const lock = lockFile(path);
  const undo: Undo[] = [];
  const abandon = () => {
    for (const step of undo.splice(0).toReversed()) step();
  };
  try {
    let release: Undo | undefined;
    if (existsSync(lock)) {
      // Before anything else looks at the files: only their owner's word on them is worth something.
      release = takeWriterLock(path).release;
      undo.push(release);
    }
    inspectHeader(path);
    assertWritable([path, lock]);
    undo.push(makeDirectory(directory));
    assertRoom(directory);
    inspectSchema(path);
    if (release === undefined) {
      const removeLock = makeFile(lock);
      release = takeWriterLock(path).release;
      undo.push(release, removeLock);
    }
    undo.push(makeFile(path, besides(path)));
    closeToOthers([path, ...besides(path), lock]);
    return { release, abandon };
  } catch (error) {
    abandon();
    throw error;
  }
}

/** What SQLite keeps beside a database; it gives them the database's own mode. */
function besides(path: string): readonly string[] {
  return [`${path}-wal`, `${path}-shm`, `${path}-journal`];
}
