import { type AuditEvent, CHAIN_ORIGIN, type ChainHead, type ChainProblem } from "../domain/audit-chain.ts";
import type { AuditCheckpoint } from "../domain/audit-checkpoint.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { AuditFilter, AuditReads } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import {
  checkpointProblems,
  endProblems,
  FORGED_END,
  isForged,
  isWithin,
  linkProblems,
  problemsBefore,
  recordProblems,
  withinEnd,
} from "./audit-problems.ts";
import { NO_API, onlyBoundApi, refuseOutsideBinding, refusePartialSight } from "./delegated.ts";
import type { Page, PageRequest } from "./page-tokens.ts";

/** Events that are looked at in one part. */
const PART = 1_000;

/** What looking at the audit takes. */
export type AuditReader = Pick<AdminParts, "caller" | "checkpointKeys"> & { readonly store: AuditReads };

/** What was found in a part of the audit. */
export interface AuditFindings {
  readonly events: number;
  readonly problems: readonly ChainProblem[];
  /** Where the next part begins; undefined: this was the last. */
  readonly next: Revision | undefined;
  readonly head: Revision;
  /** Are all records those that were written last? Undefined: this was not the first part, which looks at them. */
  readonly areCurrent: boolean | undefined;
}

/**
 * The newest first. Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN), PERMISSION_DENIED (CREDENTIAL_BOUND): a credential that
 * is bound to several APIs says which, one that is bound to an environment reads no audit, as events have none, and none that
 * is bound reads that of credentials.
 */
export async function listAuditEvents(
  parts: AdminParts,
  asked: AuditFilter,
  request: PageRequest,
): Promise<Page<AuditEvent>> {
  const { store, pageTokens } = parts;
  const filter = { ...asked, api: asked.api ?? onlyBoundApi(parts) };
  refusePartialSight(parts, filter.api ?? NO_API, undefined);
  const { api, recordId, actorKeyId, action, from, until } = filter;
  const query = ["audit", api, recordId, actorKeyId, action, from, until].map((value) => value ?? null);
  const list = async (after: string, limit: number) => {
    const before = (after === "" ? Number.MAX_SAFE_INTEGER : Number(after)) as Revision;
    const events = await store.listAuditEvents(filter, before, limit);
    return events.map((event) => ({ id: String(event.revision), event }));
  };
  const { items, nextPageToken } = await pageTokens.page(query, request, list);
  return { items: items.map(({ event }) => event), nextPageToken };
}

/**
 * Looks at the part of the chain that begins with this event (1: all of it), with the first part at all records, and with the
 * last at the chain's end. Throws PERMISSION_DENIED (CREDENTIAL_BOUND), INVALID_ARGUMENT.
 */
export async function verifyAudit(
  parts: AuditReader,
  from: Revision,
  checkpoint: Omit<AuditCheckpoint, "publicKey"> | undefined,
): Promise<AuditFindings> {
  refuseOutsideBinding(parts, NO_API, undefined);
  if (from < 1) throw invalidArgument([{ field: "from_revision", description: "must not be negative" }]);
  const { store } = parts;
  // The end before: so many events there have to be. And the end after: so many there may be.
  const head = await store.auditHead();
  if (head.isAuthentic && from > head.revision + 1) {
    const description = `is beyond the audit, which ends with event ${head.revision}: begin with 0`;
    throw invalidArgument([{ field: "from_revision", description }]);
  }
  const before = from === 1 ? CHAIN_ORIGIN : await eventBefore(parts, from);
  const stored = await store.auditChain((from - 1) as Revision, PART);
  const { events, beyond } = withinEnd(stored, await store.auditHead());
  const examination = from === 1 ? await store.examineRecords() : undefined;
  const problems: ChainProblem[] = [];
  if (examination !== undefined) {
    problems.push(...recordProblems(examination), ...(await problemsBefore(store)));
  }
  problems.push(...linkProblems(before, events));
  const last = events.at(-1) ?? before;
  const isLast = stored.length < PART || beyond !== undefined;
  if (isLast) {
    const atHead = [before, ...events].findLast(({ revision }) => revision === head.revision);
    problems.push(...endProblems(head, last, atHead));
  }
  if (beyond !== undefined) problems.push(beyond);
  if (checkpoint !== undefined && isWithin(checkpoint.revision, from, last.revision, isLast)) {
    problems.push(...(await checkpointProblems(parts, checkpoint)));
  }
  const next = isLast ? undefined : ((last.revision + 1) as Revision);
  const areCurrent = examination?.areCurrent;
  return { events: events.length, problems, next, head: head.revision, areCurrent };
}

/**
 * Throws PERMISSION_DENIED (CREDENTIAL_BOUND), DATA_LOSS (AUDIT_FORGED): what is not Keywarden's is never signed.
 */
export async function createAuditCheckpoint(parts: AdminParts): Promise<AuditCheckpoint> {
  refuseOutsideBinding(parts, NO_API, undefined);
  const end = await parts.store.auditHead();
  if (isForged(end)) {
    throw new KeywardenError({
      status: "DATA_LOSS",
      reason: "AUDIT_FORGED",
      message: `${FORGED_END}: it was not signed; look closer with keywarden audit verify and keywarden doctor`,
    });
  }
  return parts.checkpointKeys.sign({ revision: end.revision, hash: end.hash }, parts.now());
}

/** The end of the part before; what is wrong with it was said there. */
async function eventBefore({ store }: AuditReader, from: Revision): Promise<ChainHead> {
  const [event] = await store.auditChain((from - 2) as Revision, 1);
  const isThere = event?.revision === from - 1;
  return isThere ? event : { ...CHAIN_ORIGIN, revision: (from - 1) as Revision };
}
