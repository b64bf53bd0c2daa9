import { parseIp } from "./client-ip.ts";
import type { DecisionRequest, PresentedToken, Rule } from "./decision.ts";
import type { KeyRecord } from "./key.ts";
import { quote } from "./quote.ts";
import type { LimitAssessment } from "./rate-limit.ts";

interface Facts {
  readonly record: KeyRecord | undefined;
  readonly request: DecisionRequest;
  readonly limits: LimitAssessment | undefined;
}

/** What a check looked at, in words for an operator: everything but the token. */
export function checkDetail(reason: Rule["reason"], facts: Facts): string {
  return DETAILS[reason](facts);
}

const DETAILS: Readonly<Record<Rule["reason"], (facts: Facts) => string>> = {
  MISSING_TOKEN: ({ request }) =>
    request.token.kind === "missing" ? "there is no token" : "there is a token",
  MALFORMED_TOKEN: ({ request }) => shapeOf(request.token),
  WRONG_API: ({ request, record }) =>
    `the token is of ${apiOf(request.token, record) ?? "no API"}, and ${request.serving.api ?? "any API of a product"} is served`,
  WRONG_ENVIRONMENT: ({ request, record }) =>
    `the token is of ${environmentOf(request.token, record) ?? "no environment"}, and ${servedEnvironment(request)} is served`,
  UNKNOWN_TOKEN: ({ record }) => (record === undefined ? "no key has this token" : `key ${record.key.id}`),
  REVOKED: ofKey(({ key }) =>
    key.revokeTime === null
      ? `state ${key.state}`
      : `state ${key.state}, revoked at ${timeText(key.revokeTime)}`,
  ),
  DISABLED: ofKey(({ key }) => `state ${key.state}`),
  EXPIRED: ofKey(
    ({ key, tokenEnd }) =>
      `the key ends ${endText(key.expireTime)}, and this token ${tokenEndText(tokenEnd)}`,
  ),
  IP_NOT_ALLOWED: ofKey(({ key }, { request }) => {
    const allowed = key.allowedCidrs.length === 0 ? "anywhere" : key.allowedCidrs.join(", ");
    return `the client is at ${placeOf(request.clientIp)}, and may be at ${allowed}`;
  }),
  INSUFFICIENT_SCOPE: ofKey(({ key }, { request }) => {
    const required = request.requiredScope.text.trim().replace(/\s+/g, " ") || "nothing";
    return `${required} is required, and ${key.scopes.join(", ") || "nothing"} is granted`;
  }),
  RATE_LIMITED: ofKey((_record, { request, limits }) => limitText(request.cost, limits)),
};

function placeOf(clientIp: string): string {
  if (clientIp === "") return "no address that was told";
  return parseIp(clientIp) === undefined ? `${quote(clientIp)}, which is no address` : clientIp;
}

function ofKey(detail: (record: KeyRecord, facts: Facts) => string) {
  return (facts: Facts) => (facts.record === undefined ? "there is no key" : detail(facts.record, facts));
}

function shapeOf({ kind }: PresentedToken): string {
  switch (kind) {
    case "missing":
      return "there is no token";
    case "malformed":
      return "its shape or checksum is that of no token";
    case "native":
      return "it has the shape and checksum of a token of Keywarden's";
    case "imported":
      return "it has the shape of an imported token";
  }
}

function apiOf(token: PresentedToken, record: KeyRecord | undefined): string | undefined {
  return token.kind === "native" ? token.api : record?.key.api;
}

function environmentOf(token: PresentedToken, record: KeyRecord | undefined): string | undefined {
  return token.kind === "native" ? token.environment : record?.key.environment;
}

function servedEnvironment({ serving: { environment } }: DecisionRequest): string {
  return environment === "*" ? "every environment" : (environment ?? "no environment that was told");
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}

function endText(time: number | null): string {
  return time === null ? "never" : `at ${timeText(time)}`;
}

function tokenEndText(end: number): string {
  if (end === Infinity) return "is the current one";
  return end === -Infinity ? "was replaced" : `was replaced and is accepted until ${timeText(end)}`;
}

function limitText(cost: number, limits: LimitAssessment | undefined): string {
  const status = limits?.status;
  if (limits === undefined || status === undefined) return "the key has no rate limits";
  const { limit, remaining, resetAfter } = status;
  const left = limits.allowed
    ? `${remaining} of ${limit.quota} would be left`
    : `${remaining} of ${limit.quota} are left`;
  return `the cost is ${cost}, and of the limit ${limit.name} ${left}; it is reset in ${Math.ceil(resetAfter / 1000)} s`;
}
