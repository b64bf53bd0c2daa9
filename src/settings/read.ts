import type { z } from "zod";
import { nearestName } from "../domain/nearest-name.ts";
import type { Setting } from "./table.ts";

/** Settings that cannot be used: one line for each problem, with what to write instead. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** What was given, by the setting's name; undefined where it was not. */
export type GivenFlags = Readonly<Record<string, string | undefined>>;
export type Variables = Readonly<Record<string, string | undefined>>;

/** A short plain value as it was given; of anything else, which may hold a secret, only its length. */
function shape(value: string, { secret }: Setting): string {
  if (value === "") return "is empty";
  const plain = secret !== true && /^[\w.:[\]-]{1,32}$/.test(value);
  return plain ? `is "${value}"` : `is ${value.length} characters of another shape`;
}

/** Kubernetes sets these for a service called keywarden, in every pod beside it. */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)/.test(name) || /^(tcp|udp|sctp):\/\//.test(value)
  );
}

/**
 * The problems with the names of the KEYWARDEN_ variables.
 * @param known the rows of every table: a variable of the client is no mistake in the server's environment.
 */
export function unknownVariables(variables: Variables, known: readonly Setting[]): readonly string[] {
  const names = new Set(known.map(({ variable }) => variable));
  return Object.entries(variables).flatMap(([name, value]) => {
    if (!name.startsWith("KEYWARDEN_") || names.has(name) || isServiceLink(name, value ?? "")) return [];
    const meant = nearestName(name, names);
    const next = meant === undefined ? "unset it, or see keywarden serve --help" : `did you mean ${meant}?`;
    return [`${name} is not a setting of Keywarden: ${next}`];
  });
}

/**
 * Settings from flags, else KEYWARDEN_ variables, else the defaults.
 * @throws SettingsError that names each flag or variable, the shape of its value and what to write.
 */
export function readSettings<Settings>(
  schema: z.ZodType<Settings>,
  rows: readonly Setting[],
  flags: GivenFlags,
  variables: Variables,
): Settings {
  const given = new Map<string, { readonly where: string; readonly text: string; readonly row: Setting }>();
  for (const row of rows) {
    const flag = flags[row.name];
    const text = flag ?? variables[row.variable];
    if (text !== undefined)
      given.set(row.name, { where: (flag === undefined ? undefined : row.flag) ?? row.variable, text, row });
  }
  const result = schema.safeParse(Object.fromEntries([...given].map(([name, { text }]) => [name, text])));
  if (result.success) return result.data;
  throw new SettingsError(
    result.error.issues.map(({ path, message }) => {
      const source = given.get(String(path[0]));
      return source === undefined ? message : `${source.where} ${shape(source.text, source.row)}: ${message}`;
    }),
  );
}
