import {
  type AuditEvent,
  CHAIN_ORIGIN,
  type ChainHead,
  type ChainProblem,
  chainProblem,
} from "../domain/audit-chain.ts";
import type { AuditCheckpoint } from "../domain/audit-checkpoint.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { AuditFilter, AuditHead, AuditReads } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { NO_API, onlyBoundApi, refuseOutsideBinding } from "./delegated.ts";
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
}

/**
 * The newest first. Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN), PERMISSION_DENIED (CREDENTIAL_BOUND): a credential that
 * is bound to several APIs says which, and one that is bound to an environment reads no audit, as events have none.
 */
export async function listAuditEvents(
  parts: AdminParts,
  asked: AuditFilter,
  request: PageRequest,
): Promise<Page<AuditEvent>> {
  const { store, pageTokens } = parts;
  const filter = { ...asked, api: asked.api ?? onlyBoundApi(parts) };
  refuseOutsideBinding(parts, filter.api ?? NO_API, undefined);
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
 * Looks at the part of the chain that begins with this event (1: all of it), and with the last part at the chain's end.
 * Throws PERMISSION_DENIED (CREDENTIAL_BOUND), INVALID_ARGUMENT.
 */
export async function verifyAudit(
  parts: AuditReader,
  from: Revision,
  checkpoint: Omit<AuditCheckpoint, "publicKey"> | undefined,
): Promise<AuditFindings> {
  refuseOutsideBinding(parts, NO_API, undefined);
  if (from < 1) throw invalidArgument([{ field: "from_revision", description: "must not be negative" }]);
  const { store } = parts;
  // The end first: events that come after it are none of its business.
  const head = await store.auditHead();
  if (head.isAuthentic && from > head.revision + 1) {
    const description = `is beyond the audit, which ends with event ${head.revision}: begin with 0`;
    throw invalidArgument([{ field: "from_revision", description }]);
  }
  let last: ChainHead = from === 1 ? CHAIN_ORIGIN : await eventBefore(parts, from);
  const events = await store.auditChain((from - 1) as Revision, PART);
  const problems: ChainProblem[] = [];
  let atHead: ChainHead | undefined = head.revision === last.revision ? last : undefined;
  for (const event of events) {
    const problem = chainProblem(last, event);
    if (problem !== undefined) problems.push(problem);
    last = { revision: event.revision, hash: event.hash };
    if (event.revision === head.revision) atHead = last;
  }
  const isLast = events.length < PART;
  if (isLast) problems.push(...endProblems(head, last, atHead, await store.newestRecord()));
  if (checkpoint !== undefined && isWithin(checkpoint.revision, from, last.revision, isLast)) {
    problems.push(...(await checkpointProblems(parts, checkpoint)));
  }
  const next = isLast ? undefined : ((last.revision + 1) as Revision);
  return { events: events.length, problems, next, head: head.revision };
}

/** Throws PERMISSION_DENIED (CREDENTIAL_BOUND). */
export async function createAuditCheckpoint(parts: AdminParts): Promise<AuditCheckpoint> {
  refuseOutsideBinding(parts, NO_API, undefined);
  const { revision, hash } = await parts.store.auditHead();
  return parts.checkpointKeys.sign({ revision, hash }, parts.now());
}

/** The end of the part before; what is wrong with it was said there. */
async function eventBefore({ store }: AuditReader, from: Revision): Promise<ChainHead> {
  const [event] = await store.auditChain((from - 2) as Revision, 1);
  const isThere = event?.revision === from - 1;
  return isThere ? event : { ...CHAIN_ORIGIN, revision: (from - 1) as Revision };
}

function endProblems(
  head: AuditHead,
  last: ChainHead,
  atHead: ChainHead | undefined,
  newestRecord: Revision,
): readonly ChainProblem[] {
  const { revision } = head;
  if (!head.isAuthentic && (last.revision > 0 || revision > 0)) {
    return [
      { kind: "FORGED", revision, message: "the record of where the audit ends is not what Keywarden wrote" },
    ];
  }
  if (last.revision < revision) {
    const message = `the audit ends with event ${last.revision}, and ended with ${revision}`;
    return [{ kind: "TRUNCATED", revision: (last.revision + 1) as Revision, message }];
  }
  if (newestRecord > last.revision) {
    const message = `the audit ends with event ${last.revision}, but there are records of change ${newestRecord}`;
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
function isWithin(revision: Revision, from: Revision, last: Revision, isLast: boolean): boolean {
  return revision <= last ? revision >= from || (revision === 0 && from === 1) : isLast;
}

async function checkpointProblems(
  { store, checkpointKeys }: AuditReader,
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
