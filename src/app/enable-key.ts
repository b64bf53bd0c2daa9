import { enable, type Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";

/** Ends a disabling. Errors: see changeKey; FAILED_PRECONDITION (KEY_REVOKED). */
export function enableKey(parts: AdminParts, reference: KeyReference): Promise<Key> {
  return changeKey(parts, "EnableKey", reference, (key, now) => ({ key: enable(key, now) }));
}
