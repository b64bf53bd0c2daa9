import type { Verdict } from "../../app/verification.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { REASONS, type Reason } from "../../domain/reason.ts";
import { BEARER_CHALLENGE, PROBLEM_TYPE, problem } from "../http/problem.ts";
import { INVALID_CREDENTIAL } from "./credential.ts";
import type { Header } from "./header.ts";
import { prefersPlainText } from "./media-type.ts";
import { rateLimitHeaders } from "./rate-limit-fields.ts";

/** What the end client gets in place of what it has asked for. */
export interface Denial {
  readonly status: 400 | 401 | 403 | 429 | 503;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** What it says, before it is put into words for the one who has asked. */
interface Saying {
  readonly status: Denial["status"];
  readonly detail: string;
  /** Empty: nothing that a guesser may know. */
  readonly reason: string;
  readonly headers: readonly Header[];
}

/**
 * How to say to the end client that its request was not allowed, as problem details (RFC 9457) or, if its Accept header
 * would rather have that, as plain text. Throws RangeError for a verdict that allows.
 */
export function denialOf(outcome: Verdict | KeywardenError, accept: string): Denial {
  const { status, detail, reason, headers } =
    outcome instanceof KeywardenError ? sayingOfError(outcome) : sayingOfVerdict(outcome);
  if (prefersPlainText(accept)) {
    return {
      status,
      headers: [...headers, ["content-type", "text/plain; charset=utf-8"]],
      body: `${detail}\n`,
    };
  }
  const body = JSON.stringify({ ...problem(status, detail), ...(reason !== "" && { reason }) });
  return { status, headers: [...headers, ["content-type", PROBLEM_TYPE]], body };
}

/** False: the client, or whoever has set up the proxy, has caused it. */
export function isOwnFailure({ status }: KeywardenError): boolean {
  return status !== "INVALID_ARGUMENT" && status !== "PERMISSION_DENIED";
}

/** Whoever has set up the proxy has to look at it: no client can help it. */
export function isMisconfiguration(error: KeywardenError): boolean {
  return !isOwnFailure(error) && !CLIENTS_FAULTS.has(error.reason);
}

function sayingOfVerdict({ decision, message, wwwAuthenticate }: Verdict): Saying {
  const { reason, rateLimit, record, retryAfter } = decision;
  const { httpStatus: status } = REASONS[reason];
  if (status === 200) throw new RangeError("a verdict that allows is no denial");
  const headers: Header[] = [];
  if (wwwAuthenticate !== "") headers.push(["www-authenticate", wwwAuthenticate]);
  if (retryAfter > 0) headers.push(["retry-after", String(retryAfter)]);
  if (rateLimit !== undefined) headers.push(...rateLimitHeaders(rateLimit, record?.key.rateLimits ?? []));
  return { status, detail: message, reason: isTold(reason) ? reason : "", headers };
}

/** What is wrong with a token that is not valid is not told: the message is the same for all that can be. */
function isTold(reason: Reason): boolean {
  return REASONS[reason].message !== REASONS.UNKNOWN_TOKEN.message;
}

const INVALID_REQUEST = "the request must have one API key, sent in one way";

/** What a client itself can do wrong, by the error's reason. Anything else that is refused, the proxy's configuration is. */
const CLIENTS_FAULTS: ReadonlyMap<string, Saying> = new Map(
  [
    {
      status: 400 as const,
      reason: INVALID_CREDENTIAL,
      detail: INVALID_REQUEST,
      headers: [
        [
          "www-authenticate",
          `${BEARER_CHALLENGE}, error="invalid_request", error_description="${INVALID_REQUEST}"`,
        ] as const,
      ],
    },
    { status: 400 as const, reason: "MALFORMED_REQUEST", detail: "the request cannot be read", headers: [] },
    { status: 400 as const, reason: "UNSAFE_PATH", detail: "the path is not written plainly", headers: [] },
    {
      // The token would have told: it is missing, or of no API.
      status: 401 as const,
      reason: "API_REQUIRED",
      detail: "an API key of a known API is required",
      headers: [["www-authenticate", BEARER_CHALLENGE] as const],
    },
    { status: 403 as const, reason: "NO_ROUTE", detail: "access denied", headers: [] },
  ].map((saying) => [saying.reason, saying]),
);

const MISCONFIGURED: Saying = { status: 403, reason: "", detail: "access denied", headers: [] };

const UNDECIDED: Saying = {
  status: 503,
  reason: "",
  detail: "it could not be decided; try again",
  headers: [["retry-after", "1"]],
};

function sayingOfError(error: KeywardenError): Saying {
  if (isOwnFailure(error)) return UNDECIDED;
  return CLIENTS_FAULTS.get(error.reason) ?? MISCONFIGURED;
}
