import type { Database } from "better-sqlite3";
import type { AuditEntry, Change, CommitResult } from "../../ports/store.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { codeOf } from "./refusal.ts";

/** What became of a change; a problem says in words whether the change was made. */
export type Outcome = CommitResult | { readonly problem: string };

/** Makes the changes of a group, each on its own, with one fsync for all. Never throws. */
export type GroupCommit = (changes: readonly AuditedChange[]) => readonly Outcome[];

export interface AuditedChange {
  readonly change: Change;
  readonly entry: AuditEntry;
}

export function createGroupCommit(db: Database, writer: ChangeWriter): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const savepoint = db.prepare("SAVEPOINT change");
  const keep = db.prepare("RELEASE change");
  const takeBack = db.prepare("ROLLBACK TO change");

  function attempt({ change, entry }: AuditedChange): Outcome {
    savepoint.run();
    try {
      const result = writer.make(change, entry);
      keep.run();
      return result;
    } catch (error) {
      // A full disk or an I/O error ends the whole transaction: then there is nothing left to take this one back from.
      if (!db.inTransaction) throw error;
      takeBack.run();
      keep.run();
      return { problem: `the change was not made: ${messageOf(error)}` };
    }
  }

  return (changes) => {
    let isCommitting = false;
    try {
      begin.run();
      const isSound = writer.begin();
      const outcomes = changes.map(attempt);
      if (!isSound || outcomes.some((outcome) => "ok" in outcome && outcome.ok)) writer.finish();
      isCommitting = true;
      commit.run();
      writer.committed();
      return outcomes;
    } catch (error) {
      if (db.inTransaction) rollback.run();
      // What could not be written whole is not there. Another error at the end may come after the last byte, and a
      // crash before the next commit would then bring the changes back.
      const isUnknown = isCommitting && codeOf(error) !== "SQLITE_FULL";
      const fate = isUnknown ? "it is not known whether the change was made" : "the change was not made";
      return changes.map(() => ({ problem: `${fate}: ${messageOf(error)}` }));
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
