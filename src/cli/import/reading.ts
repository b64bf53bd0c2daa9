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

/** @throws Failure if the heading lacks the column of tokens, or one that was named. Gives the columns without a use. */
export function checkHeading(
  names: readonly string[],
  { mapped }: Reading,
  named: readonly Mapped[],
  input: string,
): readonly string[] {
  const there = `${input} has the columns ${names.map(safeText).join(", ")}.`;
  const missing = named.find(({ column }) => !names.includes(column));
  if (missing !== undefined) throw usage(`there is no column ${safeText(missing.column)}`, there);
  const tokens = mapped.filter(({ field }) => field === "token").map(({ column }) => column);
  if (!tokens.some((column) => names.includes(column))) {
    const next = "Say which has the tokens: --map COLUMN=token.";
    throw usage(
      `there is no column ${tokens.map(safeText).join(" or ")}, which would have the tokens`,
      there,
      next,
    );
  }
  const used = new Set(mapped.map(({ column }) => column));
  return names.filter((name) => !used.has(name));
}
