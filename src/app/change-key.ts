import type { Key } from "../domain/key.ts";
import type { NewToken, ServedRequest } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { getKey } from "./read-records.ts";
import { refuseBuiltInApi, refuseOtherEtag } from "./refusals.ts";

/** Which key, and the etag that it must have (empty: any). */
export interface KeyReference {
  readonly keyId: string;
  readonly etag: string;
}

/** What a change makes of a key. */
export interface ChangedKey {
  readonly key: Key;
  readonly token?: NewToken;
  readonly served?: ServedRequest;
}

/**
 * Changes one key: reads it, lets `change` make the new one, and writes that if the key is still what was read,
 * else begins again. If `change` gives the same key back, nothing is written. Resolves once the change is in force.
 *
 * Throws NOT_FOUND (KEY_NOT_FOUND), ABORTED (ETAG_MISMATCH, CONTENTION), FAILED_PRECONDITION (BUILT_IN_API), and
 * what `change` throws.
 */
export function changeKey(
  parts: AdminParts,
  { keyId, etag }: KeyReference,
  change: (key: Key, now: number) => ChangedKey | Promise<ChangedKey>,
): Promise<Key> {
  return repeated(async () => {
    const key = await getKey(parts, keyId);
    refuseBuiltInApi(key.api);
    refuseOtherEtag(etag, key.revision);
    const changed = await change(key, parts.now());
    if (changed.key === key) return key;
    const result = await parts.store.commit({ kind: "update-key", expected: key.revision, ...changed });
    return result.ok ? { ...changed.key, revision: result.revision } : undefined;
  });
}
