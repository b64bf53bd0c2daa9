import { createHash } from "node:crypto";
import type { Key } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { ServedRequest } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { getKey } from "./read-records.ts";

/** A request that is done once, however often it is sent: its id and what it asks for. */
export interface RepeatableRequest {
  /** Canonical UUID; empty: each call is a request of its own. */
  readonly requestId: string;
  readonly fingerprint: string;
}

/** Everything that a request asks for, and who does, as a fingerprint: SHA-256 in hexadecimal. */
export function fingerprintOf(
  { caller: { actor } }: Pick<AdminParts, "caller">,
  method: string,
  asked: unknown,
): string {
  return createHash("sha256")
    .update(JSON.stringify([actor.keyId, method, asked]))
    .digest("hex");
}

/**
 * The key that this request made when it was served before; undefined if it was not.
 * Throws ALREADY_EXISTS (REQUEST_ID_REUSED) if the id was used for another request, or by somebody else,
 * PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function replay(
  parts: AdminParts,
  { requestId, fingerprint }: RepeatableRequest,
): Promise<Key | undefined> {
  if (requestId === "") return undefined;
  const served = await parts.store.getServedRequest(requestId);
  if (served === undefined) return undefined;
  if (served.fingerprint === fingerprint) return getKey(parts, served.keyId);
  throw new KeywardenError({
    status: "ALREADY_EXISTS",
    reason: "REQUEST_ID_REUSED",
    message: "this request_id was used for another request; make a new one",
  });
}

/** What to store with the change so that the request is not done twice. */
export function servedBy(
  { requestId, fingerprint }: RepeatableRequest,
  key: Key,
  time: number,
): { readonly served?: ServedRequest } {
  return requestId === "" ? {} : { served: { requestId, fingerprint, keyId: key.id, time } };
}
