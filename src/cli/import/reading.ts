import { usage } from "../failure.ts";
import { safeText } from "../safe-text.ts";
import type { Mapped } from "./fields.ts";
import { PRESETS, type PresetName } from "./presets.ts";
import { HASH_FORMATS, type HashFormat } from "./token-hash.ts";

/** How the columns of an input are understood. */
export interface Reading {
  readonly hash: HashFormat;
  readonly mapped: readonly Mapped[];
}

interface ReadingOptions {
  readonly from: PresetName;
  readonly hash?: HashFormat;
  /** Go before what the preset says of the same fields. */
  readonly map?: readonly Mapped[];
}

/** @throws Failure if it is not said what the tokens' column has. */
export function readingOf({ from, hash: given, map = [] }: ReadingOptions): Reading {
  const preset = PRESETS[from];
  const hash = given ?? preset.hash;
  if (hash === undefined) {
    throw usage("what does the column of tokens hold?", `Say --hash ${HASH_FORMATS.join(", or --hash ")}.`);
  }
  const said = new Set(map.map(({ field }) => field));
  return { hash, mapped: [...map, ...preset.columns.filter(({ field }) => !said.has(field))] };
}

/** What columns an input was found to have. */
export interface FoundColumns {
  readonly names: readonly string[];
  /** So many rows were looked at; undefined: a heading says it. */
  readonly ahead: number | undefined;
  /** The input's name. */
  readonly input: string;
}

/** @throws Failure if the input lacks the column of tokens, or one that was named. */
export function checkColumns(found: FoundColumns, { mapped }: Reading, named: readonly Mapped[]): void {
  const { names } = found;
  const missing = named.find(({ column }) => !names.includes(column));
  if (missing !== undefined)
    throw usage(`there is no column ${safeText(missing.column)}`, ...whatIsThere(found));
  const tokens = mapped.filter(({ field }) => field === "token").map(({ column }) => column);
  if (tokens.some((column) => names.includes(column))) return;
  throw usage(
    `there is no column ${tokens.map(safeText).join(" or ")}, which would have the tokens`,
    ...whatIsThere(found),
    "Say which has the tokens: --map COLUMN=token.",
  );
}

/** The columns that go nowhere. */
export function columnsWithoutUse(names: readonly string[], { mapped }: Reading): readonly string[] {
  const used = new Set(mapped.map(({ column }) => column));
  return names.filter((name) => !used.has(name));
}

function whatIsThere({ names, ahead, input }: FoundColumns): readonly string[] {
  const columns = names.map(columnName).join(", ");
  if (ahead === undefined) return [`${input} has the columns ${columns}.`];
  return [
    `Lines 1 to ${ahead.toLocaleString("en")} of ${input} have the columns ${columns}.`,
    "If later ones have it, put one of those first.",
  ];
}

/** Longer ones are no names: in a file without a heading, they are what its first row holds. */
const LONGEST_NAME = 30;

/** How people are told of a column. */
export function columnName(name: string): string {
  return name.length > LONGEST_NAME ? `(${name.length} characters)` : safeText(name);
}
