import { type Key, refuseRevoked } from "../domain/key.ts";
import { canonicalKeyFields, checkKeyFields } from "../domain/key-rules.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";
import { checkBoundApis } from "./bound-apis.ts";
import { changeKey, type KeyReference } from "./change-key.ts";
import { checkTtl, type Expiration, expireTimeOf } from "./expiration.ts";
import { getApi } from "./read-records.ts";

/** The fields to change; those that are left out stay as they are, and are not checked anew. */
export type KeyPatch = Partial<
  Pick<Key, "owner" | "displayName" | "scopes" | "allowedCidrs" | "rateLimits" | "metadata" | "binding"> & {
    readonly expiration: Expiration;
  }
>;

/**
 * Changes some fields of a key. Errors: see changeKey; INVALID_ARGUMENT with a violation for each changed field
 * that breaks its rule; FAILED_PRECONDITION (KEY_REVOKED).
 */
export function updateKey(
  parts: AdminParts,
  reference: KeyReference,
  { expiration, ...patch }: KeyPatch,
): Promise<Key> {
  return changeKey(parts, "UpdateKey", reference, async (key, now) => {
    refuseRevoked(key);
    const ttlViolations = checkTtl(expiration);
    const isMoved = expiration !== undefined && ttlViolations.length === 0;
    const fields = { ...patch, ...(isMoved && { expireTime: expireTimeOf(expiration, now) }) };
    const violations = [
      ...ttlViolations,
      ...checkKeyFields(fields, await getApi(parts, key.api), now),
      ...(await checkBoundApis(parts, fields.binding ?? null)),
    ];
    if (violations.length > 0) throw invalidArgument(violations);
    return { key: canonicalKeyFields({ ...key, ...fields, updateTime: now }) };
  });
}
