import { STATUS_CODES } from "node:http";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { StatusName } from "../../domain/status.ts";
import type { Failure } from "../../ports/transport.ts";

/** Problem details (RFC 9457): what is wrong with a request, for whoever sent it. */
export interface Problem {
  readonly type: "about:blank";
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The status of the RPC that would have ended so (google.rpc.Code), by its name. */
  readonly code?: Failure["status"];
  /** UPPER_SNAKE, stable: what programs compare (google.rpc.ErrorInfo.reason). */
  readonly reason?: string;
  /** Each field that breaks its rule, by its name in the proto. */
  readonly violations?: Failure["violations"];
}

export const PROBLEM_TYPE = "application/problem+json";

/** Of whoever has to send a credential (RFC 6750 section 3). */
export const BEARER_CHALLENGE = 'Bearer realm="keywarden"';

export function problem(status: number, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Unknown", status, detail };
}

/** The HTTP status of an RPC's (google.rpc.Code has the same in its comments). */
const HTTP_STATUS: Readonly<Record<Exclude<StatusName, "OK">, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/** Of what an RPC would have ended with. */
export function problemOfFailure({ status: code, reason, message, violations = [] }: Failure): Problem {
  const base = problem(HTTP_STATUS[code], message);
  return { ...base, code, reason, ...(violations.length > 0 && { violations }) };
}

/** What is wrong with a request by HTTP's own rules. */
export class RequestRefused extends Error {
  readonly statusCode: number;

  /** `detail` goes to the client: it never carries a token. */
  constructor(statusCode: number, detail: string) {
    super(detail);
    this.name = "RequestRefused";
    this.statusCode = statusCode;
  }
}

/** What the HTTP server refuses by itself, in more words than its status has. */
const DETAILS: Readonly<Record<number, string>> = {
  413: "the body is too large",
  415: "the body is of another type than goes here, or of none",
};

/** Of anything that was thrown; what is not meant for the one who asked says only that it is ours. */
export function problemOf(error: unknown): Problem {
  if (error instanceof KeywardenError) return problemOfFailure(error);
  if (error instanceof RequestRefused) return problem(error.statusCode, error.message);
  const status = statusOf(error);
  return status >= 400 && status < 500
    ? problem(status, DETAILS[status] ?? "the request cannot be read")
    : problem(500, "internal error");
}

function statusOf(error: unknown): number {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : 500;
}
