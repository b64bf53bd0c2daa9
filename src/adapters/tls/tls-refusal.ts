import { KeywardenError } from "../../domain/keywarden-error.ts";

type TlsReason =
  | "TLS_UNREADABLE"
  | "TLS_MISMATCH"
  | "TLS_EXPIRED"
  | "TLS_NOT_YET_VALID"
  | "TLS_CALLERS_INVALID";

/** A file of TLS that cannot be used: the message names its setting and its path, and never what is in it. */
export function tlsRefusal(reason: TlsReason, message: string, cause?: unknown): KeywardenError {
  return new KeywardenError({ status: "FAILED_PRECONDITION", reason, message, cause });
}
