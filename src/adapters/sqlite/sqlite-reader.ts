import { Sealer, type SealKey } from "../../domain/seal.ts";
import type { AdminReads, AuditReads, Freshness, UsageReads, VerificationReads } from "../../ports/store.ts";
import { createAdminReads } from "./admin-reads.ts";
import { createAuditReads } from "./audit-reads.ts";
import { openReaderConnection } from "./connection.ts";
import { examineStoredRecords } from "./examine-records.ts";
import { unavailable } from "./refusal.ts";
import { type OnRefusedRow, SealedReader } from "./sealed-reader.ts";
import { createUsageReads } from "./usage-reads.ts";
import { createVerificationReads } from "./verification-reads.ts";

/** Everything of a store but its writes. */
export interface StoreReader extends Freshness, VerificationReads, AdminReads, AuditReads, UsageReads {
  close(): Promise<void>;
}

interface SqliteReaderOptions {
  /** The database's file, which a store has open for writing, in this process or another. */
  readonly path: string;
  /** The seal keys, the current one first. */
  readonly sealKeys: readonly SealKey[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whatever it is told of never grants anything. */
  readonly onRefusedRow: OnRefusedRow;
}

/** Reads the store on a connection of its own, which can't write: one for each thread that reads. */
export function openSqliteReader({ path, sealKeys, now, onRefusedRow }: SqliteReaderOptions): StoreReader {
  const db = openReaderConnection(path);
  const sealer = new Sealer(sealKeys);
  const rows = new SealedReader(sealer, onRefusedRow);
  return {
    ...createVerificationReads(db, rows),
    ...createAdminReads(db, { rows, now }),
    ...createAuditReads(db, rows, async () => {
      if (!db.open) throw unavailable("the store is closed");
      return examineStoredRecords(path, sealer);
    }),
    ...createUsageReads(db),
    async close() {
      db.close();
    },
  };
}
