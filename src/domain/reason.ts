/** Why a verification was allowed or denied, in the order of the checks. */
export type Reason =
  | "ALLOWED"
  | "MISSING_TOKEN"
  | "MALFORMED_TOKEN"
  | "WRONG_API"
  | "WRONG_ENVIRONMENT"
  | "UNKNOWN_TOKEN"
  | "REVOKED"
  | "DISABLED"
  | "EXPIRED"
  | "IP_NOT_ALLOWED"
  | "INSUFFICIENT_SCOPE"
  | "RATE_LIMITED";

/** What a denied client is told in WWW-Authenticate (RFC 6750 §3). "bearer": only what it has to send. */
type Challenge = "none" | "bearer" | "invalid_token" | "insufficient_scope";

export interface ReasonMeaning {
  readonly httpStatus: 200 | 401 | 403 | 429;
  /** For the end client. */
  readonly message: string;
  readonly challenge: Challenge;
}

/** One for all that is wrong with a token: a guesser learns nothing from which it is. */
const INVALID_TOKEN: ReasonMeaning = {
  httpStatus: 401,
  message: "the API key is not valid",
  challenge: "invalid_token",
};

/** What each reason means to the end client. */
export const REASONS: Readonly<Record<Reason, ReasonMeaning>> = {
  ALLOWED: { httpStatus: 200, message: "allowed", challenge: "none" },
  MISSING_TOKEN: { httpStatus: 401, message: "an API key is required", challenge: "bearer" },
  MALFORMED_TOKEN: INVALID_TOKEN,
  WRONG_API: INVALID_TOKEN,
  WRONG_ENVIRONMENT: {
    httpStatus: 401,
    message: "a key of one environment does not work in another",
    challenge: "invalid_token",
  },
  UNKNOWN_TOKEN: INVALID_TOKEN,
  REVOKED: INVALID_TOKEN,
  DISABLED: INVALID_TOKEN,
  EXPIRED: INVALID_TOKEN,
  IP_NOT_ALLOWED: { httpStatus: 403, message: "access denied", challenge: "none" },
  INSUFFICIENT_SCOPE: {
    httpStatus: 403,
    message: "the API key does not have the required scope",
    challenge: "insufficient_scope",
  },
  RATE_LIMITED: { httpStatus: 429, message: "the API key is over its rate limit", challenge: "none" },
};

export interface Environments {
  /** The token's; undefined where it has none. */
  readonly tokenEnvironment: string | undefined;
  /** The caller's. */
  readonly servedEnvironment: string | undefined;
}

export interface ChallengeDetails extends Environments {
  /** Names what is protected, such as the API's id. */
  readonly realm: string;
  /** The scopes that the call needs. */
  readonly scopes: readonly string[];
}

/** The reason in words for the end client; a key of the wrong environment is told which it is. */
export function publicMessage(reason: Reason, { tokenEnvironment, servedEnvironment }: Environments): string {
  if (reason !== "WRONG_ENVIRONMENT" || !tokenEnvironment || !servedEnvironment)
    return REASONS[reason].message;
  const article = /^[aeiou]/i.test(tokenEnvironment) ? "an" : "a";
  return `${article} ${tokenEnvironment} key does not work in ${servedEnvironment} mode`;
}

/** The value of the WWW-Authenticate header; empty where none belongs. */
export function wwwAuthenticate(reason: Reason, details: ChallengeDetails): string {
  const { challenge } = REASONS[reason];
  if (challenge === "none") return "";
  const bearer = `Bearer realm="${quotable(details.realm)}"`;
  if (challenge === "bearer") return bearer;
  const description = quotable(publicMessage(reason, details));
  const error = `${bearer}, error="${challenge}", error_description="${description}"`;
  if (challenge === "invalid_token") return error;
  return `${error}, scope="${quotable(details.scopes.join(" "))}"`;
}

/** What may stand between quotes without being escaped (RFC 6750 §3); anything else would break out of the header. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, "?");
}

/** Given by the checks that come before a key is looked at: whether one was found does not matter to them. */
export const REASONS_WITHOUT_KEY: ReadonlySet<Reason> = new Set([
  "MISSING_TOKEN",
  "MALFORMED_TOKEN",
  "WRONG_API",
  "WRONG_ENVIRONMENT",
  "UNKNOWN_TOKEN",
]);
