import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import type { RateLimit } from "../gen/keywarden/v1/rate_limit_pb.ts";
import { usage } from "./failure.ts";
import {
  asDuration,
  asInstant,
  asLabel,
  asRateLimit,
  asText,
  type Label,
  repeated,
} from "./option-values.ts";

/** What `key create` and `key update` have in common. */
export interface KeyOptions {
  readonly name?: string;
  readonly owner?: string;
  readonly scope?: readonly string[];
  readonly allowCidr?: readonly string[];
  readonly rateLimit?: readonly RateLimit[];
  readonly metadata?: readonly Label[];
  readonly bindApi?: readonly string[];
  readonly bindEnvironment?: string;
  readonly expiresIn?: Duration;
  readonly expiresAt?: Timestamp;
}

export const OWNER = ["--owner <name>", "whose key it is, such as a customer's account"] as const;

/** Adds them but for the owner; `meaning` is put behind the texts of those that an update takes instead of what the key had. */
export function addKeyOptions(command: Command, meaning: string): void {
  command
    .option("--name <text>", "its name for people")
    .option(
      "--scope <grant>",
      `a scope it is granted, such as orders:read or 'files:*'${meaning}`,
      repeated(asText),
    )
    .option(
      "--allow-cidr <network>",
      `where it may be used from, such as 203.0.113.0/24${meaning}`,
      repeated(asText),
    )
    .option("--rate-limit <limit>", `such as default=100/1m: 100 a minute${meaning}`, repeated(asRateLimit))
    .option("--metadata <name=value>", "a label of your own (repeatable)", repeated(asLabel))
    .option(
      "--bind-api <id>",
      `for credentials (--api keywarden): an API that it may act on${meaning}`,
      repeated(asText),
    )
    .option("--bind-environment <name>", "for credentials: the environment that it may act on")
    .option("--expires-in <duration>", "when it ends, from now: 90d, 24h, 30m", asDuration)
    .option("--expires-at <time>", "when it ends: 2027-01-31T09:00:00Z", asInstant);
}

/** The key's `binding`, as the request has it; undefined if no option says anything. */
export function binding({ bindApi, bindEnvironment }: KeyOptions) {
  if (bindApi === undefined && bindEnvironment === undefined) return undefined;
  return { apis: [...(bindApi ?? [])], environment: bindEnvironment ?? "" };
}

/** The key's `expiration`, as the request has it; undefined if no option says anything. */
export function expiration({ expiresIn, expiresAt }: KeyOptions) {
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw usage("--expires-in and --expires-at: give one of them");
  if (expiresIn !== undefined) return { case: "ttl" as const, value: expiresIn };
  return expiresAt === undefined ? undefined : { case: "expireTime" as const, value: expiresAt };
}
