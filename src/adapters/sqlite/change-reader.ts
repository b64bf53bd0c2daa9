import type { Database } from "better-sqlite3";
import { type AuditEvent, CHAIN_START, type EventHash, follows } from "../../domain/audit-chain.ts";
import type { Revision } from "../../domain/revision.ts";
import { anyChange, changesBetween } from "../../ports/change-log.ts";
import type { Changes } from "../../ports/store.ts";
import type { StoredHead } from "./audit-head-rows.ts";
import { type AuditRow, decodeAuditEvent } from "./audit-rows.ts";
import { unavailable } from "./refusal.ts";
import type { SealedReader } from "./sealed-reader.ts";
import { createEndReader, type StoredEnd } from "./stored-end-reader.ts";

/** Changes listed at most; whoever is further behind does better to start anew. */
const MOST_CHANGES = 10_000;

/**
 * Reads from the audit what has changed, and believes none of it that is not proven: the end of the audit is sealed, and
 * each event before it is proven by the hash of the next. Where something is not what Keywarden wrote, everything may have
 * changed, and an alarm is raised; where not even the end is, nobody can know what has changed.
 */
export function createChangeReader(db: Database, rows: SealedReader): (since: Revision) => Changes {
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  const endReader = createEndReader(db, rows);
  // As of one instant: else a commit in between would be taken for somebody else's, or theirs for ours.
  const storedEnd = db.transaction(() => ({ ...endReader(), version: dataVersion.get() }));
  const eventsIn = db.prepare<[number, number], AuditRow>(
    "SELECT * FROM audit_events WHERE revision > ? AND revision <= ? ORDER BY revision",
  );
  const hashOf = db.prepare<[number], EventHash>("SELECT hash FROM audit_events WHERE revision = ?").pluck();
  let last: { readonly version: number | undefined; readonly commits: number } | undefined;

  /** Each of our commits is counted: a new version of the database without one is somebody else's. */
  function isForeign({ commits }: StoredHead, version: number | undefined): boolean {
    const seen = { version, commits };
    const isOthers = last !== undefined && last.version !== seen.version && last.commits >= commits;
    last = seen;
    return isOthers;
  }

  function problemOf(since: Revision, end: StoredEnd, head: StoredHead, events: readonly AuditEvent[]) {
    if (end.newest !== head.revision) {
      return `the audit ends with event ${head.revision} by its own account, and its newest is ${end.newest}`;
    }
    const whole = events.length === head.revision - since;
    if (!whole) return `of the events ${since + 1} to ${head.revision}, there are ${events.length}`;
    const edited = firstEdited(events, since === 0 ? CHAIN_START : (hashOf.get(since) ?? CHAIN_START));
    if (edited !== undefined) return `event ${edited.revision} is not what was written`;
    // The last of them is what the sealed end says, and so are all before it.
    const isEnd = events.length === 0 || events.at(-1)?.hash === head.hash;
    return isEnd ? undefined : `event ${head.revision} is not the one that the audit ended with`;
  }

  return (since) => {
    const end = storedEnd();
    const head = trustedEnd(end);
    const current = head.revision;
    const isBeyond = since > current || current - since > MOST_CHANGES;
    if (isForeign(head, end.version) || isBeyond) return anyChange(current);
    const events = eventsIn.all(since, current).map(decodeAuditEvent);
    const problem = problemOf(since, end, head, events);
    if (problem === undefined) return changesBetween(since, current, events);
    rows.report(problem);
    return anyChange(current);
  };
}

/** Where the store has come to, if that is known and what is stored is trusted; else UNAVAILABLE. */
export function trustedEnd({ head }: StoredEnd): StoredHead {
  if (head === undefined)
    throw unavailable("the record of where the audit ends was forged: nothing is decided by it");
  if (head.isDistrusted) {
    throw unavailable("records and audit were changed behind Keywarden's back: nothing is decided by them");
  }
  return head;
}

function firstEdited(events: readonly AuditEvent[], before: EventHash): AuditEvent | undefined {
  let previous = before;
  for (const event of events) {
    if (!follows(event, previous)) return event;
    previous = event.hash;
  }
  return undefined;
}
