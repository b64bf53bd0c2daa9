import type { KeyId } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import type { Change, Changes } from "./store.ts";

/** What the log keeps of one change. */
export interface LoggedChange {
  readonly kind: "api" | "key";
  readonly recordId: string;
  readonly addsToken: boolean;
}

/** What the log keeps of this change. */
export function logged(change: Change): LoggedChange {
  switch (change.kind) {
    case "create-api":
    case "update-api":
      return { kind: "api", recordId: change.api.id, addsToken: false };
    case "delete-api":
      return { kind: "api", recordId: change.id, addsToken: false };
    case "create-key":
    case "update-key":
      return { kind: "key", recordId: change.key.id, addsToken: change.token !== undefined };
  }
}

/**
 * What changed between two revisions, from what the log still has of it. As each change has the next revision,
 * a log that does not have as many as lie between them does not reach back that far, or never had `since`.
 */
export function changesBetween(since: Revision, current: Revision, log: readonly LoggedChange[]): Changes {
  const complete = log.length === current - since;
  if (!complete) return { revision: current, complete, keyIds: [], apis: true, tokens: true };
  const keyIds = new Set(log.filter(({ kind }) => kind === "key").map(({ recordId }) => recordId as KeyId));
  return {
    revision: current,
    complete,
    keyIds: [...keyIds],
    apis: log.some(({ kind }) => kind === "api"),
    tokens: log.some(({ addsToken }) => addsToken),
  };
}
