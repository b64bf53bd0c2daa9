import type { RateLimit, RateLimitStatus } from "../../domain/rate-limit.ts";
import type { Header } from "./header.ts";

/**
 * RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10): where the key stands with the limit that
 * binds most, and all limits that it has. Times are whole seconds, rounded up.
 */
export function rateLimitHeaders(status: RateLimitStatus, limits: readonly RateLimit[]): readonly Header[] {
  const { limit, remaining, resetAfter } = status;
  const policies = limits.map(({ name, quota, window }) => `${quoted(name)};q=${quota};w=${seconds(window)}`);
  return [
    ["ratelimit", `${quoted(limit.name)};r=${remaining};t=${seconds(resetAfter)}`],
    ["ratelimit-policy", policies.join(", ")],
  ];
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** A String of structured fields (RFC 9651 section 3.3.3). */
function quoted(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
