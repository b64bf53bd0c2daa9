import { KeywardenError } from "../domain/keywarden-error.ts";
import { SettingsError } from "../settings/read.ts";
import type { ExitName } from "./exit-code.ts";

/** Why a command could not do what it was asked, in words for people, and how it ends. */
export class Failure extends Error {
  readonly exit: ExitName;
  /** What to do next, or more of what is wrong: a line each. */
  readonly next: readonly string[];

  constructor(exit: ExitName, message: string, next: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Failure";
    this.exit = exit;
    this.next = next;
  }
}

/** A command that was written wrongly. */
export function usage(message: string, ...next: readonly string[]): Failure {
  return new Failure("usage", message, next);
}

/** What anything thrown by a command comes to. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof SettingsError) {
    const [first = "settings cannot be read", ...others] = error.problems;
    return new Failure("usage", first, others);
  }
  if (error instanceof KeywardenError) return new Failure("failed", error.message, [], error);
  const message = error instanceof Error ? error.message : String(error);
  return new Failure("failed", `${message} (unexpected: this is a defect of keywarden)`, [], error);
}
