import { ttlProblem, violation } from "../domain/field-rules.ts";
import type { FieldViolation } from "../domain/keywarden-error.ts";

/** When something ends: at an instant, or a time from now; null: never. Milliseconds. */
export type Expiration = { readonly at: number | null } | { readonly ttl: number | null };

/** The instant, in milliseconds since the epoch; null: never. */
export function expireTimeOf(expiration: Expiration, now: number): number | null {
  if ("at" in expiration) return expiration.at;
  return expiration.ttl === null ? null : now + expiration.ttl;
}

/** The rule that a time from now breaks, if it does: an instant is judged with the other fields of its key. */
export function checkTtl(expiration: Expiration | undefined): readonly FieldViolation[] {
  if (expiration === undefined || "at" in expiration || expiration.ttl === null) return [];
  return violation("key.ttl", ttlProblem(expiration.ttl));
}
