import type { AuditAction } from "../domain/audit-chain.ts";
import type { Key } from "../domain/key.ts";
import type { NewToken, ServedRequest } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { auditEntry } from "./audit-entry.ts";
import { refuseBeyondCaller, refuseMorePowerful } from "./delegated.ts";
import { getKey } from "./read-records.ts";
import { lastCredential, refuseOtherEtag } from "./refusals.ts";

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

/** The changes that give nobody anything: of them it counts what the key can do, not from where and for how long. */
const REDUCTIONS: ReadonlySet<AuditAction> = new Set(["RevokeKey", "DisableKey", "EndGrace"]);

/**
 * Changes one key: reads it, lets `change` make the new one, and writes that if the key is still what was read,
 * else begins again. If `change` gives the same key back, nothing is written. Resolves once the change is in force.
 *
 * Throws NOT_FOUND (KEY_NOT_FOUND), ABORTED (ETAG_MISMATCH, CONTENTION), PERMISSION_DENIED (CREDENTIAL_BOUND,
 * BEYOND_OWN_AUTHORITY), FAILED_PRECONDITION (LAST_CREDENTIAL), and what `change` throws.
 */
export function changeKey(
  parts: AdminParts,
  action: AuditAction,
  { keyId, etag }: KeyReference,
  change: (key: Key, now: number) => ChangedKey | Promise<ChangedKey>,
): Promise<Key> {
  return repeated(async () => {
    const key = await getKey(parts, keyId);
    refuseMorePowerful(parts, key);
    refuseOtherEtag(etag, key.revision);
    const changed = await change(key, parts.now());
    if (changed.key === key) return key;
    if (!REDUCTIONS.has(action)) refuseBeyondCaller(parts, changed.key);
    const result = await parts.store.commit(
      { kind: "update-key", expected: key.revision, ...changed },
      auditEntry(parts, action, key, changed.served?.requestId),
    );
    if (result.ok) return { ...changed.key, revision: result.revision };
    if (result.conflict === "LAST_CREDENTIAL") throw lastCredential();
    return undefined;
  });
}
