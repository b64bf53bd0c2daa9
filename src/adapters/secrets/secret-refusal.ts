import type { SecretKind } from "../../domain/keyring.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";

/**
 * MISSING: the source has nothing. UNREADABLE: it cannot be read, or what it has are no secrets. EXPOSED: everyone on
 * the machine can read it. WRONG: they are other secrets than those that are needed.
 */
type SecretFault = "MISSING" | "UNREADABLE" | "EXPOSED" | "WRONG";

/** Makes a refusal: `what` is a sentence without its full stop, and never has anything of a secret in it. */
export type Refuse = (fault: SecretFault, what: string, cause?: unknown) => KeywardenError;

/** How people call each kind, how programs do, and what sets its source. */
export const SECRET_WORDS = {
  pepper: { name: "pepper", plural: "peppers", reason: "PEPPER", setting: "--pepper (KEYWARDEN_PEPPER)" },
  "seal-key": {
    name: "seal key",
    plural: "seal keys",
    reason: "SEAL_KEY",
    setting: "--seal-key (KEYWARDEN_SEAL_KEY)",
  },
} as const satisfies Record<SecretKind, object>;

/** Refusals about the secrets of one kind: FAILED_PRECONDITION, such as PEPPER_MISSING or SEAL_KEY_WRONG. */
export function refusalsOf(kind: SecretKind): Refuse {
  const { reason, setting } = SECRET_WORDS[kind];
  return (fault, what, cause) =>
    new KeywardenError({
      status: "FAILED_PRECONDITION",
      reason: `${reason}_${fault}`,
      message: `${what}. Where it comes from is set by ${setting}`,
      cause,
    });
}
