import type { Key } from "../domain/key.ts";
import { canonicalKeyFields, checkKeyFields } from "../domain/key-rules.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";
import { type Expiration, expireTimeOf } from "./expiration.ts";
import { getApi } from "./read-records.ts";

/** The fields to change; those that are left out stay as they are, and are not checked anew. */
export type KeyPatch = Partial<
  Pick<Key, "owner" | "displayName" | "scopes" | "allowedCidrs" | "rateLimits" | "metadata"> & {
    readonly expiration: Expiration;
  }
>;

/** Where a violation of each field is reported. */
const PATHS: Readonly<Record<keyof KeyPatch, string>> = {
  owner: "key.owner",
  displayName: "key.display_name",
  scopes: "key.scopes",
  allowedCidrs: "key.allowed_cidrs",
  rateLimits: "key.rate_limits",
  metadata: "key.metadata",
  expiration: "key.expire_time",
};

/**
 * Changes some fields of a key. Errors: see changeKey; INVALID_ARGUMENT with a violation for each changed field
 * that breaks its rule; FAILED_PRECONDITION (KEY_REVOKED).
 */
export function updateKey(parts: AdminParts, reference: KeyReference, patch: KeyPatch): Promise<Key> {
  const paths = Object.entries(PATHS).flatMap(([field, path]) => (field in patch ? [path] : []));
  return changeKey(parts, reference, async (key, now) => {
    if (key.state === "REVOKED") {
      throw new KeywardenError({
        status: "FAILED_PRECONDITION",
        reason: "KEY_REVOKED",
        message: "the key is revoked, which is final",
      });
    }
    const api = await getApi(parts, key.api);
    const { expiration, ...fields } = patch;
    const changed: Key = { ...key, ...fields };
    const expireTime = expiration === undefined ? key.expireTime : expireTimeOf(expiration, now);
    const violations = checkKeyFields({ ...changed, expireTime }, api, now).filter(({ field }) =>
      paths.some((path) => field === path || field.startsWith(`${path}[`) || field.startsWith(`${path}.`)),
    );
    if (violations.length > 0) throw invalidArgument(violations);
    return { key: { ...changed, ...canonicalKeyFields({ ...changed, expireTime }), updateTime: now } };
  });
}
