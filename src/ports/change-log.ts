import type { ApiId } from "../domain/api.ts";
import {
  type AuditEvent,
  type AuditedFields,
  chained,
  differences,
  type EventHash,
  type LoggedChange,
} from "../domain/audit-chain.ts";
import type { KeyId } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import type { AuditEntry, Change, Changes } from "./store.ts";

function logged(change: Change): LoggedChange {
  switch (change.kind) {
    case "create-api":
    case "update-api":
      return { recordKind: "api", recordId: change.api.id, addsToken: false };
    case "delete-api":
      return { recordKind: "api", recordId: change.id, addsToken: false };
    case "create-key":
    case "update-key":
      return { recordKind: "key", recordId: change.key.id, addsToken: change.token !== undefined };
    case "import-keys":
      return { recordKind: "import", recordId: change.importId, addsToken: true };
  }
}

/** The audit's event of this change, which gets this revision and follows an event of this hash. */
export function auditEventOf(
  change: Change,
  { action, actor, requestId, time, before }: AuditEntry,
  revision: Revision,
  previous: EventHash,
): AuditEvent {
  const event = {
    revision,
    time,
    action,
    actor,
    requestId,
    ...logged(change),
    api: apiOf(change),
  };
  return chained({ ...event, ...differences(before && { ...before }, recordAfter(change)) }, previous);
}

function apiOf(change: Change): ApiId | "" {
  switch (change.kind) {
    case "create-api":
    case "update-api":
      return change.api.id;
    case "delete-api":
      return change.id;
    case "create-key":
    case "update-key":
      return change.key.api;
    case "import-keys":
      return change.api;
  }
}

function recordAfter(change: Change): AuditedFields | null {
  switch (change.kind) {
    case "create-api":
    case "update-api":
      return { ...change.api };
    case "delete-api":
      return null;
    case "create-key":
    case "update-key":
      return { ...change.key };
    case "import-keys":
      return { count: change.keys.length, keyIds: change.keys.map(({ key }) => key.id) };
  }
}

/** Everything up to this revision may have changed. */
export function anyChange(revision: Revision): Changes {
  return { revision, complete: false, keyIds: [], apis: true, tokens: true };
}

/**
 * What changed between two revisions, from what the log still has of it. As each change has the next revision,
 * a log that does not have as many as lie between them is not whole, was cut short, or never had `since`.
 */
export function changesBetween(since: Revision, current: Revision, log: readonly LoggedChange[]): Changes {
  const complete = log.length === current - since;
  if (!complete) return anyChange(current);
  const keyIds = new Set(
    log.filter(({ recordKind }) => recordKind === "key").map(({ recordId }) => recordId as KeyId),
  );
  return {
    revision: current,
    complete,
    keyIds: [...keyIds],
    apis: log.some(({ recordKind }) => recordKind === "api"),
    tokens: log.some(({ addsToken }) => addsToken),
  };
}
