import { Failure } from "./failure.ts";

const REASONS = new Map<unknown, string>([
  ["ENOENT", "does not exist"],
  ["EACCES", "may not be read"],
  ["EISDIR", "is a directory"],
]);

/** The failure of reading a file that the command line names; `what` is how people call it. */
export function unreadable(error: unknown, what: string, path: string, ...next: readonly string[]): Failure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new Failure("usage", `${what} ${path} ${REASONS.get(code) ?? "cannot be read"}`, next, error);
}
