import { KeywardenError } from "../domain/keywarden-error.ts";

/** A command on the machine that does nothing: FAILED_PRECONDITION. `message` says what to do. */
export function refused(reason: string, message: string, cause?: unknown): KeywardenError {
  return new KeywardenError({ status: "FAILED_PRECONDITION", reason, message, cause });
}
