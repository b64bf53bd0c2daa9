import type { Finding } from "../domain/finding.ts";
import type { Keyring, SecretKind, SecretUse } from "../domain/keyring.ts";
import type { SecretState } from "../domain/store-care.ts";

/** The secrets that records need and those at hand, together. `keyring` undefined: nobody knows what is at hand. */
export function secretStates(
  uses: readonly SecretUse[],
  keyring: Keyring | undefined,
): readonly SecretState[] {
  if (keyring === undefined) return uses.map((use) => ({ ...use, state: "unchecked" }));
  return [...statesOf("pepper", uses, keyring.peppers), ...statesOf("seal-key", uses, keyring.sealKeys)];
}

function statesOf(
  kind: SecretKind,
  uses: readonly SecretUse[],
  known: readonly { readonly id: string }[],
): readonly SecretState[] {
  const own = uses.filter((use) => use.kind === kind);
  return [
    ...known.map(({ id }, index) => ({
      kind,
      id,
      records: own.find((use) => use.id === id)?.records ?? 0,
      state: index === 0 ? ("current" as const) : ("former" as const),
    })),
    ...own
      .filter((use) => !known.some(({ id }) => id === use.id))
      .map((use) => ({ ...use, state: "unknown" as const })),
  ];
}

export function secretFindings(states: readonly SecretState[]): readonly Finding[] {
  return states.flatMap(({ kind, id, records, state }): readonly Finding[] => {
    const name = kind === "pepper" ? `pepper ${id}` : `seal key ${id}`;
    const made = kind === "pepper" ? "tokens digested" : "records sealed";
    if (state === "unknown") {
      return [
        {
          severity: "error",
          code: "SECRET_UNKNOWN",
          what: `${name} is not at hand, and ${records} ${made} with it grant nothing`,
          next: "Add it from a backup, on a line below the current one",
        },
      ];
    }
    if (state !== "former") return [];
    return [
      records > 0
        ? {
            severity: "note",
            code: "ROTATION_UNFINISHED",
            what: `the former ${name} is still needed: there are ${records} ${made} with it`,
            next: "Keep it: a server moves them to the current one by and by",
          }
        : {
            severity: "note",
            code: "SECRET_UNUSED",
            what: `nothing needs the former ${name} any more, unless you restore a backup that does`,
            next: `Run: keywarden secret forget ${id}`,
          },
    ];
  });
}
