import { setImmediate } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { Revision } from "../../domain/revision.ts";
import type { Sealer } from "../../domain/seal.ts";
import { changedSum } from "../../domain/seal-sum.ts";
import type { RecordsExamination } from "../../ports/store.ts";
import { decodeHead, type HeadRow, NEW_STORE } from "./audit-head-rows.ts";
import { openReaderConnection } from "./connection.ts";
import { foreignObjects } from "./inspection-structure.ts";
import { refusalOf } from "./refusal.ts";

/** Rows between two looks at what else there is to do: 1 ms. */
const PART = 500;

interface SealRow {
  readonly seal: Buffer;
  readonly revision: number;
}

/** Looks at all records as they are at one instant, on a connection of its own. */
export async function examineStoredRecords(path: string, sealer: Sealer): Promise<RecordsExamination> {
  let db: Database | undefined;
  try {
    db = openReaderConnection(path);
    db.exec("BEGIN");
    return await examineRecords(db, sealer);
  } catch (error) {
    throw refusalOf(error, path);
  } finally {
    db?.close();
  }
}

/**
 * Compares the seals of all records with the sum that the writer keeps of them: that proves that each is the one that was
 * written last, that none was added, and that none is missing. Within a transaction. What a record says need not be
 * compared with its seal here, as whoever reads it does that. A million records: 1.5 s.
 */
export async function examineRecords(db: Database, sealer: Sealer): Promise<RecordsExamination> {
  const row = db.prepare<[], HeadRow>("SELECT * FROM audit_head").get();
  const head = row === undefined ? NEW_STORE : decodeHead(sealer, row);
  let sum = 0n;
  let newest = 0;
  for (const table of ["apis", "keys"]) {
    let part: Buffer[] = [];
    for (const { seal, revision } of db
      .prepare<[], SealRow>(`SELECT seal, revision FROM ${table}`)
      .iterate()) {
      newest = Math.max(newest, revision);
      part.push(seal);
      if (part.length < PART) continue;
      sum += sealer.sumOf(part);
      part = [];
      await setImmediate();
    }
    sum += sealer.sumOf(part);
  }
  return {
    head: (head?.revision ?? 0) as Revision,
    newest: newest as Revision,
    areCurrent: head !== undefined && changedSum(sum, { gone: 0n, added: 0n }) === head.records,
    foreign: foreignObjects(db),
  };
}
