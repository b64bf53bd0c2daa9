import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { RateLimit } from "../../domain/rate-limit.ts";
import type { RateLimit as RateLimitMessage, RateLimitSchema } from "../../gen/keywarden/v1/rate_limit_pb.ts";
import { exactMilliseconds } from "./moments.ts";

export function rateLimitToMessage({
  name,
  quota,
  window,
}: RateLimit): MessageInitShape<typeof RateLimitSchema> {
  return { name, quota, window: durationFromMs(window) };
}

/** `field` is the path of the list, such as `key.rate_limits`. */
export function rateLimitsOf(messages: readonly RateLimitMessage[], field: string): RateLimit[] {
  return messages.map(({ name, quota, window }, index) => ({
    name,
    quota,
    window: window === undefined ? 0 : exactMilliseconds(window, `${field}[${index}].window`),
  }));
}
