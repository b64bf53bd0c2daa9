import type { StatusName } from "./status.ts";

/** One field of a request that breaks its rule (google.rpc.BadRequest.FieldViolation). */
export interface FieldViolation {
  /** The field's path in the request, in the proto's spelling, such as `key.allowed_cidrs[1]`. */
  readonly field: string;
  /** What the rule is and what shape the value has; never the value of a secret. */
  readonly description: string;
}

interface KeywardenErrorOptions {
  readonly status: Exclude<StatusName, "OK">;
  /** UPPER_SNAKE, stable: what programs and tests compare (google.rpc.ErrorInfo.reason). */
  readonly reason: string;
  /** What is wrong, where, and what to do. Goes to the caller: it never carries a token. */
  readonly message: string;
  readonly violations?: readonly FieldViolation[];
  /** What went wrong underneath: for the log, never for the wire. */
  readonly cause?: unknown;
}

/** An answer other than success, in terms that every door can translate. */
export class KeywardenError extends Error {
  readonly status: Exclude<StatusName, "OK">;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  constructor({ status, reason, message, violations = [], cause }: KeywardenErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KeywardenError";
    this.status = status;
    this.reason = reason;
    this.violations = violations;
  }
}

/** INVALID_ARGUMENT for the named fields. */
export function invalidArgument(
  violations: readonly FieldViolation[],
  reason = "INVALID_FIELDS",
): KeywardenError {
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new KeywardenError({ status: "INVALID_ARGUMENT", reason, message, violations });
}

/** INVALID_ARGUMENT (MALFORMED_REQUEST): what was sent is no request of its kind. `violations`: the fields, if they can be told. */
export function malformedRequest(
  message: string,
  violations: readonly FieldViolation[] = [],
): KeywardenError {
  return new KeywardenError({ status: "INVALID_ARGUMENT", reason: "MALFORMED_REQUEST", message, violations });
}
