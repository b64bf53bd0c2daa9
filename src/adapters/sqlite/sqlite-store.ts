import { resolve } from "node:path";
import type { Store } from "../../ports/store.ts";
import { createAdminReads } from "./admin-reads.ts";
import { openReaderConnection } from "./connection.ts";
import { refusalOf } from "./refusal.ts";
import { setUpDatabase } from "./set-up-database.ts";
import { claimStore } from "./store-claim.ts";
import { createVerificationReads } from "./verification-reads.ts";
import { startWriterWorker, WriterThread } from "./writer-thread.ts";

interface SqliteStoreOptions {
  /** The database's file; it is made, with its directory, if it is not there. */
  readonly path: string;
  /** How many of the last changes stay in the log; whoever is further behind starts anew. */
  readonly changesKept?: number;
  /** Milliseconds since the epoch; without it, the system's clock. */
  readonly now?: () => number;
  /** Told of each row that a verification met and that can't be decoded. It never grants anything. */
  readonly onCorruptRow: (error: unknown) => void;
  /** Told if the thread that writes ends by itself: nothing can be committed any more. */
  readonly onWriterFailure: (error: unknown) => void;
}

const CHANGES_KEPT = 100_000;

/**
 * Opens the store and takes it for this process. Rejects with FAILED_PRECONDITION, and then leaves everything as it
 * was: STORE_IN_USE, STORE_CORRUPT, STORE_FOREIGN, STORE_NEWER_SCHEMA, STORE_NOT_WRITABLE, STORE_DISK_FULL.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
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

async function openClaimed(path: string, options: SqliteStoreOptions, release: () => void): Promise<Store> {
  const { changesKept = CHANGES_KEPT, now = Date.now, onCorruptRow, onWriterFailure } = options;
  setUpDatabase(path);
  const writer = new WriterThread(startWriterWorker({ path, changesKept }), onWriterFailure);
  try {
    await writer.ready;
    const reader = openReaderConnection(path);
    return {
      ...createVerificationReads(reader, { onCorruptRow }),
      ...createAdminReads(reader, { now }),
      commit: (change) => writer.commit(change),
      async close() {
        // The writer last: it can write the log back only when nobody reads it any more.
        reader.close();
        await writer.close();
        release();
      },
    };
  } catch (error) {
    await writer.close();
    throw error;
  }
}
