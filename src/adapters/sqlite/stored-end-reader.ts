import type { Database } from "better-sqlite3";
import type { Revision } from "../../domain/revision.ts";
import { type HeadRow, isSameHead, NEW_STORE, type StoredHead } from "./audit-head-rows.ts";
import type { SealedReader } from "./sealed-reader.ts";

type EndRow = HeadRow & { readonly newest: number | null };

/** Where the store has come to, by its own account, and by the audit itself. */
export interface StoredEnd {
  /** Undefined: nobody can know, as the account of it is not what Keywarden wrote. That was reported. */
  readonly head: StoredHead | undefined;
  /** The greatest number that an event has. */
  readonly newest: Revision;
  /** As it stands there, trusted or not. */
  readonly stored: Pick<StoredHead, "revision" | "hash">;
}

/** Reads where the store has come to, on a reader's connection; its seal is checked once for each commit. */
export function createEndReader(db: Database, rows: SealedReader): () => StoredEnd {
  const read = db.prepare<[], EndRow>(
    "SELECT audit_head.*, (SELECT max(revision) FROM audit_events) AS newest FROM audit_head",
  );
  const newestEvent = db.prepare<[], number>("SELECT max(revision) FROM audit_events").pluck();
  let known: { readonly row: HeadRow; readonly head: StoredHead } | undefined;

  function headOf(row: HeadRow): StoredHead | undefined {
    if (known !== undefined && isSameHead(row, known.row)) return known.head;
    const head = rows.head(row);
    if (head !== undefined) known = { row, head };
    return head;
  }

  return () => {
    const row = read.get();
    if (row !== undefined) {
      const stored = { revision: row.revision as Revision, hash: row.hash as StoredHead["hash"] };
      return { head: headOf(row), newest: (row.newest ?? 0) as Revision, stored };
    }
    const newest = (newestEvent.get() ?? 0) as Revision;
    if (newest === 0) return { head: NEW_STORE, newest, stored: NEW_STORE };
    rows.report("the record of where the audit ends is missing");
    return { head: undefined, newest, stored: NEW_STORE };
  };
}
