import { BUILT_IN_API } from "../domain/api.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import { isApiId, isUuid } from "../domain/record-ids.ts";
import type { Revision } from "../domain/revision.ts";

export function apiNotFound(id: string): KeywardenError {
  return notFound("API", isApiId(id) ? id : undefined);
}

export function keyNotFound(id: string): KeywardenError {
  return notFound("key", isUuid(id) ? id : undefined);
}

/** What has not an id's shape is not said back: somebody may have mistaken a token for one. */
function notFound(what: "API" | "key", id: string | undefined): KeywardenError {
  const named = id === undefined ? "with this id" : JSON.stringify(id);
  return new KeywardenError({
    status: "NOT_FOUND",
    reason: `${what.toUpperCase()}_NOT_FOUND`,
    message: `there is no ${what} ${named}`,
  });
}

/** Keywarden's own API is made by the server itself, not by an admin's call; its keys are changed as all others are. */
export function refuseBuiltInApi(id: string): void {
  if (id !== BUILT_IN_API) return;
  throw new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason: "BUILT_IN_API",
    message: `the API ${BUILT_IN_API} is built in: it is not changed by calls, its keys are`,
  });
}

/** Without it nobody could go on but on the server's machine. */
export function lastCredential(): KeywardenError {
  return new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason: "LAST_CREDENTIAL",
    message:
      "this is the last credential that can create credentials, or the last that can do so from anywhere, bound to " +
      "nothing and for more than a day, or the last of those with the scope *: create another such one first, or " +
      "replace it on the server's machine with keywarden admin reset",
  });
}

/** An etag is the revision of a record's last change. The empty one asks for nothing. */
export function refuseOtherEtag(etag: string, revision: Revision): void {
  if (etag === "" || etag === etagOf(revision)) return;
  throw new KeywardenError({
    status: "ABORTED",
    reason: "ETAG_MISMATCH",
    message: "the record has changed since it was read; read it again",
  });
}

export function etagOf(revision: Revision): string {
  return String(revision);
}

/** Several admins kept changing the same record between our read and our write. */
export function tooMuchContention(): KeywardenError {
  return new KeywardenError({
    status: "ABORTED",
    reason: "CONTENTION",
    message: "the record kept changing while this change was made; nothing was changed; try again",
  });
}

/** A request id in its canonical form; empty means none. Throws INVALID_ARGUMENT. */
export function canonicalRequestId(text: string): string {
  const id = text.toLowerCase();
  if (id === "" || isUuid(id)) return id;
  throw invalidArgument(
    [{ field: "request_id", description: `is a UUID, or empty; this has ${text.length} characters` }],
    "INVALID_REQUEST_ID",
  );
}
