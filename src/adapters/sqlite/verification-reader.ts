import { Sealer, type SealKey } from "../../domain/seal.ts";
import type { Freshness, VerificationReads } from "../../ports/store.ts";
import { openReaderConnection } from "./connection.ts";
import { type OnRefusedRow, SealedReader } from "./sealed-reader.ts";
import { createVerificationReads } from "./verification-reads.ts";

/** What verifications need of a store, on a connection of its own. */
export interface VerificationReader extends Freshness, VerificationReads {
  close(): void;
}

interface VerificationReaderOptions {
  /** The database's file, which a store has open for writing, in this process or another. */
  readonly path: string;
  /** The seal keys, the current one first. */
  readonly sealKeys: readonly SealKey[];
  /** Whatever it is told of never grants anything. */
  readonly onRefusedRow: OnRefusedRow;
}

/** Reads the store on a connection which can't write, without what only administration needs, drizzle among it. */
export function openVerificationReader(options: VerificationReaderOptions): VerificationReader {
  const { path, sealKeys, onRefusedRow } = options;
  const db = openReaderConnection(path);
  return {
    ...createVerificationReads(db, new SealedReader(new Sealer(sealKeys), onRefusedRow)),
    close: () => void db.close(),
  };
}
