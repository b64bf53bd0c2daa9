import { type Key, revoke } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";

/** Ends a key for ever: no verification that begins after this has resolved allows it. Errors: see changeKey. */
export function revokeKey(parts: AdminParts, reference: KeyReference): Promise<Key> {
  return changeKey(parts, "RevokeKey", reference, (key, now) => ({ key: revoke(key, now) }));
}
