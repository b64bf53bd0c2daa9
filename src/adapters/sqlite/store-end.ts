import type { Database } from "better-sqlite3";
import { UNKNOWN_END } from "../../domain/audit-chain.ts";
import type { Revision } from "../../domain/revision.ts";
import type { Sealer } from "../../domain/seal.ts";
import { changedSum } from "../../domain/seal-sum.ts";
import {
  decodeHead,
  encodeHead,
  type HeadRow,
  isSameHead,
  NEW_STORE,
  type StoredHead,
} from "./audit-head-rows.ts";

/** Revisions beyond this one are somebody's invention: nobody makes so many changes. */
const GREATEST_REVISION = 2 ** 52;

/** The seals of APIs and keys that are not there any more, and of those that are there now. */
export interface ChangedSeals {
  readonly gone: readonly unknown[];
  readonly added: readonly unknown[];
}

interface Written {
  readonly head: StoredHead;
  readonly row: HeadRow;
}

/**
 * Where the store has come to, in the memory of the one who writes it. Nobody else does: so what is stored is compared with
 * it, and never believed in its place, and an end that somebody has put back or forged is mended by the next commit.
 */
export class StoreEnd {
  readonly #sealer: Sealer;
  readonly #stored: () => HeadRow | undefined;
  readonly #write: (row: HeadRow) => void;
  readonly #onForged: (what: string) => void;
  /** What the last commit wrote that is known. Undefined: there is no head, as the store is new. */
  #kept: Written | undefined;
  /** What the last transaction wrote, whatever became of it: if it is stored, it was committed. */
  #last: Written | undefined;
  /** Where the open transaction has come to. */
  #head: StoredHead = NEW_STORE;
  #gone: unknown[] = [];
  #added: unknown[] = [];

  constructor(db: Database, sealer: Sealer, onForged: (what: string) => void) {
    this.#sealer = sealer;
    this.#onForged = onForged;
    const read = db.prepare<[], HeadRow>("SELECT * FROM audit_head");
    this.#stored = () => read.get();
    const write = db.prepare(
      `INSERT OR REPLACE INTO audit_head (id, revision, hash, records, commits, is_distrusted, seal)
      VALUES (@id, @revision, @hash, @records, @commits, @is_distrusted, @seal)`,
    );
    this.#write = (row) => void write.run(row);
    this.#kept = this.#opened(db);
    this.#last = this.#kept;
  }

  get head(): StoredHead {
    return this.#head;
  }

  /** To be called first in each transaction. False: what is stored is none of ours, and `finish` puts it right. */
  begin(): boolean {
    const stored = this.#stored();
    if (isSame(stored, this.#last)) this.#kept = this.#last;
    const isOurs = isSame(stored, this.#kept);
    if (!isOurs)
      this.#onForged("the record of where the audit ends is not what Keywarden wrote: it is put right");
    this.#gone = [];
    this.#added = [];
    // What is not stored now was rolled back.
    this.#last = this.#kept;
    this.#head = this.#kept?.head ?? NEW_STORE;
    return isOurs;
  }

  /** What the open transaction has come to. */
  advance(head: Partial<Omit<StoredHead, "records">>): void {
    this.#head = { ...this.#head, ...head };
  }

  /** The records that the open transaction has changed: all are weighed at its end, in one go. */
  changed({ gone, added }: ChangedSeals): void {
    this.#gone.push(...gone);
    this.#added.push(...added);
  }

  /** To be called once the transaction was committed. If that is not known, the next one finds out by what is stored. */
  committed(): void {
    this.#kept = this.#last;
  }

  /** To be called last in each transaction that has written something. */
  finish(): void {
    const seals = { gone: this.#sealer.sumOf(this.#gone), added: this.#sealer.sumOf(this.#added) };
    const records = changedSum(this.#head.records, seals);
    const head = { ...this.#head, records, commits: this.#head.commits + 1 };
    const row = encodeHead(this.#sealer, head);
    this.#write(row);
    this.#last = { head, row };
  }

  /**
   * What to go on from. Without an authentic account of it nobody can know: then the audit goes on, and it shows for ever
   * that it does not follow what stands before, nor are the records known to be the last ones.
   */
  #opened(db: Database): Written | undefined {
    const row = this.#stored();
    const head = row && decodeHead(this.#sealer, row);
    if (row !== undefined && head !== undefined) return { head, row };
    const newest = db
      .prepare<[number], number>("SELECT max(revision) FROM audit_events WHERE revision < ?")
      .pluck()
      .get(GREATEST_REVISION);
    const isEmpty = db.prepare("SELECT 1 FROM keys UNION ALL SELECT 1 FROM apis LIMIT 1").get() === undefined;
    if (row === undefined && newest === null && isEmpty) return undefined;
    const unknown = { ...NEW_STORE, revision: Math.max(newest ?? 0, 0) as Revision, hash: UNKNOWN_END };
    return { head: unknown, row: encodeHead(this.#sealer, unknown) };
  }
}

function isSame(stored: HeadRow | undefined, kept: Written | undefined): boolean {
  if (stored === undefined || kept === undefined) return stored === kept;
  return isSameHead(stored, kept.row);
}
