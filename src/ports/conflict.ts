import { type ApiId, BUILT_IN_API, type Environment } from "../domain/api.ts";
import { NEEDED_CREDENTIALS } from "../domain/delegation.ts";
import type { Digest } from "../domain/digest.ts";
import type { Key, KeyId } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import type { AuditEntry, Change, Conflict, ImportKeys, NewToken, ServedRequest } from "./store.ts";

/** How long a served request is remembered: 24 hours, in milliseconds. */
export const SERVED_REQUEST_LIFETIME = 24 * 60 * 60 * 1000;

/** What a change is checked against, in the transaction that makes it. */
export interface Records {
  apiRevision(id: ApiId): Revision | undefined;
  apiOfPrefix(tokenPrefix: string): ApiId | undefined;
  keyRevision(id: KeyId): Revision | undefined;
  /** Without an environment: in any. */
  hasKeys(api: ApiId, environment?: Environment): boolean;
  /** Every key of the built-in API. */
  credentials(): readonly Key[];
  hasToken(digest: Digest): boolean;
  /** When a request of this id was last served. */
  servedTime(requestId: string): number | undefined;
}

/** Why this change must not be made, by the rules that every engine shares; undefined if it may be. */
export function conflictOf(change: Change, { time }: AuditEntry, records: Records): Conflict | undefined {
  if (isTaken(change, records)) return "EXISTS";
  if (isChanged(change, records)) return "CHANGED";
  if (hasKeys(change, records)) return "HAS_KEYS";
  if (isLastCredential(change, records, time)) return "LAST_CREDENTIAL";
  return undefined;
}

function isTaken(change: Change, records: Records): boolean {
  switch (change.kind) {
    case "create-api":
      return (
        records.apiRevision(change.api.id) !== undefined ||
        records.apiOfPrefix(change.api.tokenPrefix) !== undefined
      );
    case "update-api":
      return ![undefined, change.api.id].includes(records.apiOfPrefix(change.api.tokenPrefix));
    case "delete-api":
      return false;
    case "create-key":
      return records.keyRevision(change.key.id) !== undefined || isUsed(change, records);
    case "update-key":
      return isUsed(change, records);
    case "import-keys":
      return isImported(change, records);
  }
}

/** One of its keys or tokens is there, or twice among them. */
function isImported({ keys }: ImportKeys, records: Records): boolean {
  const ids = new Set(keys.map(({ key }) => key.id));
  const digests = new Set(keys.map(({ token }) => token.digest));
  return (
    ids.size < keys.length ||
    digests.size < keys.length ||
    keys.some(({ key, token }) => records.keyRevision(key.id) !== undefined || records.hasToken(token.digest))
  );
}

function isUsed(
  { token, served }: { token?: NewToken | undefined; served?: ServedRequest | undefined },
  records: Records,
): boolean {
  if (token !== undefined && records.hasToken(token.digest)) return true;
  if (served === undefined) return false;
  const time = records.servedTime(served.requestId);
  return time !== undefined && time > served.time - SERVED_REQUEST_LIFETIME;
}

function isChanged(change: Change, records: Records): boolean {
  switch (change.kind) {
    case "create-api":
      return false;
    case "update-api":
      return records.apiRevision(change.api.id) !== change.expected;
    case "delete-api":
      return records.apiRevision(change.id) !== change.expected;
    case "create-key":
      return records.apiRevision(change.key.api) !== change.expectedApi;
    case "import-keys":
      return records.apiRevision(change.api) !== change.expectedApi;
    case "update-key":
      return records.keyRevision(change.key.id) !== change.expected;
  }
}

function hasKeys(change: Change, records: Records): boolean {
  if (change.kind === "delete-api") return records.hasKeys(change.id);
  if (change.kind !== "update-api") return false;
  return change.removedEnvironments.some((environment) => records.hasKeys(change.api.id, environment));
}

/** Is the credential the last of a kind that is needed, and of that no more once it is changed? */
function isLastCredential(change: Change, records: Records, now: number): boolean {
  if (change.kind !== "update-key" || change.key.api !== BUILT_IN_API) return false;
  const { key } = change;
  const lost = NEEDED_CREDENTIALS.filter((isNeeded) => !isNeeded(key, now));
  if (lost.length === 0) return false;
  const credentials = records.credentials();
  return lost.some((isNeeded) => {
    const [first, ...others] = credentials.filter((credential) => isNeeded(credential, now));
    return others.length === 0 && first?.id === key.id;
  });
}
