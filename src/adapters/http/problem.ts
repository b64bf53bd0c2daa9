import { STATUS_CODES } from "node:http";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { StatusName } from "../../domain/status.ts";

/** Problem details (RFC 9457): what is wrong with a request, for whoever sent it. */
export interface Problem {
  readonly type: "about:blank";
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export const PROBLEM_TYPE = "application/problem+json";

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

/** Of anything that was thrown; what is not meant for the one who asked says only that it is ours. */
export function problemOf(error: unknown): Problem {
  if (error instanceof KeywardenError) return problem(HTTP_STATUS[error.status], error.message);
  const status = statusOf(error);
  return status >= 400 && status < 500
    ? problem(status, "the request cannot be read")
    : problem(500, "internal error");
}

function statusOf(error: unknown): number {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : 500;
}
