import { resolve } from "node:path";
import type { PepperId } from "../../domain/digest.ts";
import type { SealKey, SealKeyId } from "../../domain/seal.ts";
import type { Store } from "../../ports/store.ts";
import { openReaderConnection, openWriterConnection } from "./connection.ts";
import { refusalOf } from "./refusal.ts";
import type { OnRefusedRow } from "./sealed-reader.ts";
import { forgetUnusedSecrets, type SealingProgress } from "./secret-rotation.ts";
import { setUpDatabase } from "./set-up-database.ts";
import { openSqliteReader } from "./sqlite-reader.ts";
import { claimStore } from "./store-claim.ts";
import { startWriterWorker, WriterThread } from "./writer-thread.ts";

/** The secrets that stored records were made with, by their ids. */
export interface UsedSecrets {
  readonly pepperIds: readonly PepperId[];
  readonly sealKeyIds: readonly SealKeyId[];
}

interface SqliteStoreOptions {
  /** The database's file; it is made, with its directory, if it is not there. */
  readonly path: string;
  /** The seal keys, the current one first; may reject, if they are not those that the store was made with. */
  readonly unlock: (used: UsedSecrets) => Promise<readonly [SealKey, ...SealKey[]]>;
  /** Milliseconds since the epoch; without it, the system's clock. */
  readonly now?: () => number;
  /** Whatever it is told of never grants anything. */
  readonly onRefusedRow: OnRefusedRow;
  /** Told if the thread that writes ends by itself: nothing can be committed any more. */
  readonly onWriterFailure: (error: unknown) => void;
  /** Told how far sealing everything with a new current key has come; undefined: it is done. */
  readonly onSealing?: (progress: SealingProgress | undefined) => void;
}

export interface SqliteStore extends Store {
  /** Tells, within a second, when somebody else has written to the database. */
  onForeignWrite(listener: () => void): void;
}

/**
 * Opens the store and takes it for this process. Rejects with FAILED_PRECONDITION, and then leaves everything as it
 * was: STORE_IN_USE, STORE_CORRUPT, STORE_FOREIGN, SCHEMA_ALTERED, STORE_NEWER_SCHEMA, STORE_NOT_WRITABLE, STORE_DISK_FULL.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const path = resolve(options.path);
  try {
    const claim = claimStore(path);
    try {
      return await openClaimed(path, options, () => claim.release());
    } catch (error) {
      claim.abandon();
      throw error;
    }
  } catch (error) {
    throw refusalOf(error, path);
  }
}

async function openClaimed(
  path: string,
  options: SqliteStoreOptions,
  release: () => void,
): Promise<SqliteStore> {
  const { unlock, now = Date.now, onRefusedRow, onWriterFailure, onSealing = () => {} } = options;
  const schema = setUpDatabase(path);
  const sealKeys = await unlocked(path, unlock);
  const listeners = new Set<() => void>();
  const writer = new WriterThread(startWriterWorker({ path, sealKeys, schema }), {
    onFailure: onWriterFailure,
    onSealing,
    onRefusedRow,
    onForeignWrite() {
      for (const listener of listeners) listener();
    },
  });
  try {
    await writer.ready;
    const reader = openSqliteReader({ path, sealKeys, now, onRefusedRow });
    return {
      ...reader,
      commit: (change, entry) => writer.commit(change, entry),
      redigest: (tokens) => writer.aside({ kind: "redigest", tokens }),
      recordUsage: async (batch) => void (await writer.aside({ kind: "record-usage", batch })),
      tidyUsage: (ages, limit) => writer.aside({ kind: "tidy-usage", ages, limit }),
      onForeignWrite: (listener) => void listeners.add(listener),
      trust: async (isTrusted) => void (await writer.aside({ kind: "trust", isTrusted })),
      async close() {
        // The writer last: it can write the log back only when nobody reads it any more.
        const closed = [reader.close(), writer.close()];
        await Promise.all(closed);
        release();
      },
    };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Secrets are asked for by the names that are noted; one that is not known any more may not be needed any more. */
async function unlocked(
  path: string,
  unlock: SqliteStoreOptions["unlock"],
): Promise<readonly [SealKey, ...SealKey[]]> {
  const noted = usedSecrets(path);
  try {
    return await unlock(noted);
  } catch (error) {
    const db = openWriterConnection(path);
    try {
      forgetUnusedSecrets(db, "");
    } finally {
      db.close();
    }
    const needed = usedSecrets(path);
    if (JSON.stringify(needed) === JSON.stringify(noted)) throw error;
    return unlock(needed);
  }
}

function usedSecrets(path: string): UsedSecrets {
  const db = openReaderConnection(path);
  try {
    const ids = <Id extends string>(table: "peppers" | "seal_keys") =>
      db.prepare<[], Id>(`SELECT id FROM ${table}`).pluck().all();
    return { pepperIds: ids("peppers"), sealKeyIds: ids("seal_keys") };
  } finally {
    db.close();
  }
}
