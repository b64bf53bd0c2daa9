import { disable, type Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";

/** Refuses a key until it is enabled. Errors: see changeKey; FAILED_PRECONDITION (KEY_REVOKED). */
export function disableKey(parts: AdminParts, reference: KeyReference): Promise<Key> {
  return changeKey(parts, "DisableKey", reference, (key, now) => ({ key: disable(key, now) }));
}
