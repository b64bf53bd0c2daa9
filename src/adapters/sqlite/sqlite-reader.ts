import type { KeywardenError } from "../../domain/keywarden-error.ts";
import { Sealer, type SealKey } from "../../domain/seal.ts";
import type { AdminReads, AuditReads, Freshness, UsageReads, VerificationReads } from "../../ports/store.ts";
import { createAdminReads } from "./admin-reads.ts";
import { createAuditReads } from "./audit-reads.ts";
import { openReaderConnection } from "./connection.ts";
import { SealedReader } from "./sealed-reader.ts";
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
  /** Told of each row that a verification met and that can't be decoded or trusted. It never grants anything. */
  readonly onRefusedRow: (error: KeywardenError) => void;
}

/** Reads the store on a connection of its own, which can't write: one for each thread that reads. */
export function openSqliteReader({ path, sealKeys, now, onRefusedRow }: SqliteReaderOptions): StoreReader {
  const db = openReaderConnection(path);
  const rows = new SealedReader(new Sealer(sealKeys));
  return {
    ...createVerificationReads(db, { rows, onRefusedRow }),
    ...createAdminReads(db, { rows, now }),
    ...createAuditReads(db, rows),
    ...createUsageReads(db),
    async close() {
      db.close();
    },
  };
}
