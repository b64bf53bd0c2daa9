/** How the command line ends: what scripts go by. */
export const EXIT_CODES = [
  { name: "ok", code: 0, meaning: "done; verify: the key is allowed" },
  { name: "denied", code: 1, meaning: "verify: the key is denied" },
  {
    name: "usage",
    code: 2,
    meaning: "wrong command, option, setting or file, or not confirmed: nothing was changed",
  },
  { name: "refused", code: 3, meaning: "the server answered with an error" },
  { name: "unreachable", code: 4, meaning: "the server could not be reached, or did not answer in time" },
  { name: "failed", code: 5, meaning: "the server could not start, or keywarden itself is broken" },
  { name: "interrupted", code: 130, meaning: "interrupted (Ctrl-C)" },
  { name: "closedPipe", code: 141, meaning: "whoever read the output stopped reading (as in | head)" },
] as const;

export type ExitName = (typeof EXIT_CODES)[number]["name"];

/** The code of a name. */
export function exitCode(name: ExitName): number {
  return EXIT_CODES.find((row) => row.name === name)?.code ?? 5;
}
