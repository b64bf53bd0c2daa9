import { type ApiId, BUILT_IN_API, type Environment } from "./api.ts";
import { cidrContains } from "./cidr.ts";
import { parseIp } from "./client-ip.ts";
import type { KeyRecord } from "./key.ts";
import {
  assessRateLimits,
  type LimitAssessment,
  type LimitUsage,
  type RateLimitStatus,
} from "./rate-limit.ts";
import { REASONS_WITHOUT_KEY, type Reason } from "./reason.ts";
import { type ScopeExpression, satisfies } from "./scope-expression.ts";

/** What a caller serves. */
export interface Serving {
  /** undefined: whichever the token belongs to. */
  readonly api: ApiId | undefined;
  /** `*`: all, kept apart by the caller. undefined: none could be told, which fits no token. */
  readonly environment: Environment | "*" | undefined;
}

/** A token, by what it says of itself. */
export type PresentedToken =
  | { readonly kind: "missing" }
  | { readonly kind: "malformed" }
  | {
      readonly kind: "native";
      /** undefined: no API has this prefix. */
      readonly api: ApiId | undefined;
      readonly environment: string;
    }
  /** Its API and environment are its record's. */
  | { readonly kind: "imported" };

export interface DecisionRequest {
  readonly token: PresentedToken;
  readonly serving: Serving;
  readonly requiredScope: ScopeExpression;
  /** As the caller gave it; empty if it did not. */
  readonly clientIp: string;
  /** A whole number of units. */
  readonly cost: number;
  readonly usage: LimitUsage | undefined;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  /** Whatever was found for the token, denied or not. */
  readonly record: KeyRecord | undefined;
  /** For ALLOWED and RATE_LIMITED, if the key has limits. */
  readonly rateLimit: RateLimitStatus | undefined;
  /** Whole seconds, at least 1 for RATE_LIMITED; 0 otherwise. */
  readonly retryAfter: number;
  /** The usage to store by whoever charges; undefined if there is nothing to charge. */
  readonly charged: LimitUsage | undefined;
  /** The instant that was decided for, in milliseconds since the epoch. */
  readonly decideTime: number;
}

/** Everything that a decision depends on. */
interface Subject {
  readonly record: KeyRecord | undefined;
  readonly request: DecisionRequest;
  readonly now: number;
  /** Undefined without a record. */
  readonly limits: LimitAssessment | undefined;
}

/** One check. Each stands alone, so that all of them can be shown for one request. */
export interface Rule {
  readonly reason: Exclude<Reason, "ALLOWED">;
  denies(subject: Subject): boolean;
}

/** In this order; the first that denies gives the reason. */
export const RULES: readonly Rule[] = [
  { reason: "MISSING_TOKEN", denies: ({ request }) => request.token.kind === "missing" },
  { reason: "MALFORMED_TOKEN", denies: ({ request }) => request.token.kind === "malformed" },
  { reason: "WRONG_API", denies: isOfAnotherApi },
  { reason: "WRONG_ENVIRONMENT", denies: isOfAnotherEnvironment },
  { reason: "UNKNOWN_TOKEN", denies: isUnknown },
  { reason: "REVOKED", denies: ofKey(({ key }) => key.state === "REVOKED") },
  { reason: "DISABLED", denies: ofKey(({ key }) => key.state !== "ACTIVE") },
  { reason: "EXPIRED", denies: ofKey(isExpired) },
  { reason: "IP_NOT_ALLOWED", denies: ofKey(isElsewhere) },
  { reason: "INSUFFICIENT_SCOPE", denies: ofKey(lacksScope) },
  { reason: "RATE_LIMITED", denies: ({ limits }) => limits === undefined || !limits.allowed },
];

/**
 * Decides on a request whose token has this record (undefined: none), as of `now`, in milliseconds since the epoch.
 * Pure: nothing is charged but by the caller, who stores `charged`. Throws RangeError for a cost that is none.
 */
export function decide(record: KeyRecord | undefined, request: DecisionRequest, now: number): Decision {
  return firstDenial(subjectOf(record, request, now));
}

function subjectOf(record: KeyRecord | undefined, request: DecisionRequest, now: number): Subject {
  const limits =
    record === undefined
      ? undefined
      : assessRateLimits(record.key.rateLimits, request.usage, request.cost, now);
  return { record, request, now, limits };
}

function firstDenial(subject: Subject): Decision {
  for (const rule of RULES) if (rule.denies(subject)) return decisionOf(rule.reason, subject);
  return decisionOf("ALLOWED", subject);
}

/** What one check comes to. SKIPPED: it is about a key, and there is none. */
export interface Check {
  readonly reason: Rule["reason"];
  readonly outcome: "PASSED" | "FAILED" | "SKIPPED";
}

/** Every check of the same decision, in order, also those behind the first that fails. */
export function explain(
  record: KeyRecord | undefined,
  request: DecisionRequest,
  now: number,
): {
  readonly decision: Decision;
  readonly checks: readonly Check[];
  readonly limits: LimitAssessment | undefined;
} {
  const subject = subjectOf(record, request, now);
  const checks = RULES.map(({ reason, denies }): Check => {
    if (record === undefined && !REASONS_WITHOUT_KEY.has(reason)) return { reason, outcome: "SKIPPED" };
    return { reason, outcome: denies(subject) ? "FAILED" : "PASSED" };
  });
  return { decision: firstDenial(subject), checks, limits: subject.limits };
}

function decisionOf(reason: Reason, { record, now, limits }: Subject): Decision {
  const allowed = reason === "ALLOWED";
  const isAboutLimits = allowed || reason === "RATE_LIMITED";
  return {
    allowed,
    reason,
    record,
    rateLimit: isAboutLimits ? limits?.status : undefined,
    retryAfter: isAboutLimits ? (limits?.retryAfter ?? 0) : 0,
    charged: allowed ? limits?.charged : undefined,
    decideTime: now,
  };
}

/** A check of the key; without one, it denies. */
function ofKey(denies: (record: KeyRecord, subject: Subject) => boolean): Rule["denies"] {
  return (subject) => subject.record === undefined || denies(subject.record, subject);
}

function isOfAnotherApi({ record, request: { token, serving } }: Subject): boolean {
  const api = token.kind === "native" ? token.api : record?.key.api;
  // Keywarden's own credentials are of use to whoever asks for them by name, and no key of a product.
  if (serving.api === undefined) return api === BUILT_IN_API;
  if (token.kind === "native") return api !== serving.api;
  return record !== undefined && api !== serving.api;
}

function isOfAnotherEnvironment({ record, request: { token, serving } }: Subject): boolean {
  if (serving.environment === "*") return false;
  // A token of no API is unknown, whatever environment it names.
  if (token.kind === "native") return token.api !== undefined && token.environment !== serving.environment;
  return record !== undefined && record.key.environment !== serving.environment;
}

/** A record that is not what the token says it is does not count as found. */
function isUnknown({ record, request: { token } }: Subject): boolean {
  if (record === undefined) return true;
  return (
    token.kind === "native" && (token.api !== record.key.api || token.environment !== record.key.environment)
  );
}

/** Asked as "is it still before?", so that an instant which is not a number counts as too late. */
function isExpired({ key, tokenEnd }: KeyRecord, { now }: Subject): boolean {
  return !(now < (key.expireTime ?? Infinity) && now < tokenEnd);
}

function isElsewhere({ networks }: KeyRecord, { request }: Subject): boolean {
  if (networks.length === 0) return false;
  const ip = parseIp(request.clientIp);
  return ip === undefined || !networks.some((network) => cidrContains(network, ip));
}

function lacksScope({ grants }: KeyRecord, { request }: Subject): boolean {
  return !satisfies(request.requiredScope, grants);
}
