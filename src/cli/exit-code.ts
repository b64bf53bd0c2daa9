/** How the command line ends: what scripts go by. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done; verify: the key is allowed" },
  denied: {
    code: 1,
    meaning:
      "verify: the key is denied; route explain: no rule; audit verify, doctor, backup, restore: something is wrong",
  },
  usage: {
    code: 2,
    meaning: "wrong command, option, setting or file, or not confirmed: nothing was changed",
  },
  refused: { code: 3, meaning: "the server answered with an error, or has no token to show a second time" },
  unreachable: { code: 4, meaning: "the server could not be reached, or did not answer in time" },
  failed: {
    code: 5,
    meaning:
      "the server could not start or go on, --errors of key import could not be written, or keywarden is broken",
  },
  notServing: { code: 6, meaning: "health: the server answers, but does not serve" },
  partial: { code: 7, meaning: "key import: some rows were refused, and all others imported" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C)" },
  closedPipe: { code: 141, meaning: "whoever read the output stopped reading, as in keywarden … | head" },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof EXIT_CODES;
