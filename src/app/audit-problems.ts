import {
  type AuditEvent,
  type ChainHead,
  type ChainProblem,
  chainProblem,
  UNKNOWN_END,
} from "../domain/audit-chain.ts";
import type { AuditCheckpoint } from "../domain/audit-checkpoint.ts";
import type { Revision } from "../domain/revision.ts";
import type { AuditHead, AuditReads, RecordsExamination } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";

/* What a look at the audit may find wrong: one function for each place where it shows. */

export const FORGED_END = "the record of where the audit ends is not what Keywarden wrote";

/** Does nobody know any more where the audit ended? */
export function isForged({ isAuthentic, hash }: AuditHead): boolean {
  return !isAuthentic || hash === UNKNOWN_END;
}

/** Numbers begin with 1. */
export async function problemsBefore(store: AuditReads): Promise<readonly ChainProblem[]> {
  const [first] = await store.auditChain(Number.NEGATIVE_INFINITY as Revision, 1);
  if (first === undefined || first.revision > 0) return [];
  const message = `event ${first.revision} was added: the first event is number 1`;
  return [{ kind: "FORGED", revision: first.revision, message }];
}

/** What is wrong with the records, and with the schema that they are in. */
export function recordProblems({
  head,
  newest,
  areCurrent,
  foreign,
}: RecordsExamination): readonly ChainProblem[] {
  const schema = `the schema is not the one that Keywarden made: ${foreign.join(", ")}`;
  const altered: readonly ChainProblem[] =
    foreign.length === 0 ? [] : [{ kind: "SCHEMA", revision: head, message: schema }];
  if (areCurrent) return altered;
  if (head > 0 && newest > head) {
    const message = `the audit ends with event ${head}, but there are records of change ${newest}: its end was put back`;
    return [...altered, { kind: "TRUNCATED", revision: (head + 1) as Revision, message }];
  }
  const message =
    "the records are not those that were written last: one was put back as it was before, added or deleted";
  return [...altered, { kind: "RECORDS", revision: head, message }];
}

/** What is wrong between each event and the one before it. */
export function linkProblems(before: ChainHead, events: readonly AuditEvent[]): readonly ChainProblem[] {
  return events.flatMap((event, index) => chainProblem(events[index - 1] ?? before, event) ?? []);
}

/** The events that there may be, and what is wrong with those that come after the end: nobody but a forger wrote them. */
export function withinEnd(
  events: readonly AuditEvent[],
  { revision, isAuthentic }: AuditHead,
): { readonly events: readonly AuditEvent[]; readonly beyond?: ChainProblem } {
  const first = isAuthentic ? events.find((event) => event.revision > revision) : undefined;
  if (first === undefined) return { events };
  const message = `event ${first.revision} stands beyond the audit's end, which is event ${revision}: it was added, or the record of the end was put back`;
  return {
    events: events.filter((event) => event.revision <= revision),
    beyond: { kind: "FORGED", revision: first.revision, message },
  };
}

/** What is wrong with the end: `last` is the event that is there, and `atHead` the one that the audit is said to end with. */
export function endProblems(
  head: AuditHead,
  last: ChainHead,
  atHead: ChainHead | undefined,
): readonly ChainProblem[] {
  const { revision } = head;
  if (isForged(head)) return [{ kind: "FORGED", revision, message: FORGED_END }];
  if (last.revision < revision) {
    const message = `the audit ends with event ${last.revision}, and ended with ${revision}`;
    return [{ kind: "TRUNCATED", revision: (last.revision + 1) as Revision, message }];
  }
  if (revision > 0 && atHead?.hash !== head.hash) {
    return [
      { kind: "EDITED", revision, message: `event ${revision} is not the one that the audit ended with` },
    ];
  }
  return [];
}

/** Is the checkpoint this part's business? One beyond the end is the last part's. */
export function isWithin(revision: Revision, from: Revision, last: Revision, isLast: boolean): boolean {
  return revision <= last ? revision >= from || (revision === 0 && from === 1) : isLast;
}

/** Was the checkpoint made of this audit? */
export async function checkpointProblems(
  { store, checkpointKeys }: Pick<AdminParts, "checkpointKeys"> & { readonly store: AuditReads },
  checkpoint: Omit<AuditCheckpoint, "publicKey">,
): Promise<readonly ChainProblem[]> {
  const { revision, hash } = checkpoint;
  if (!checkpointKeys.isAuthentic(checkpoint)) {
    const message = "the checkpoint was not signed with any seal key that this server knows";
    return [{ kind: "FORGED", revision, message }];
  }
  if (revision === 0) return [];
  const [event] = await store.auditChain((revision - 1) as Revision, 1);
  if (event?.revision === revision && event.hash === hash) return [];
  const isGone = event === undefined;
  const message = isGone
    ? `the checkpoint was made when the audit reached to event ${revision}, and it ends before`
    : `event ${revision} is not the one that the checkpoint was made for: the audit was written anew`;
  return [{ kind: isGone ? "TRUNCATED" : "EDITED", revision, message }];
}
