/** When something ends: at an instant, or a time from now; null: never. Milliseconds. */
export type Expiration = { readonly at: number | null } | { readonly ttl: number | null };

/** The instant, in milliseconds since the epoch; null: never. */
export function expireTimeOf(expiration: Expiration, now: number): number | null {
  if ("at" in expiration) return expiration.at;
  return expiration.ttl === null ? null : now + expiration.ttl;
}
