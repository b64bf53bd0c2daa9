import { endGrace, type Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { changeKey, type KeyReference } from "./change-key.ts";

/** From now on only the current token is accepted. Errors: see changeKey; FAILED_PRECONDITION (KEY_REVOKED). */
export function endKeyGrace(parts: AdminParts, reference: KeyReference): Promise<Key> {
  return changeKey(parts, "EndGrace", reference, (key, now) => ({ key: endGrace(key, now) }));
}
