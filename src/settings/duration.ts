const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

const MILLISECONDS: ReadonlyMap<string, number> = new Map(UNITS);

/** How a duration is written, for messages. */
export const DURATION_SHAPE =
  "a whole number and a unit (d, h, m, s or ms), such as 90d, 24h, 30m, 10s or 500ms";

/** Milliseconds of a duration such as `90d`, `24h`, `30m`, `10s` or `500ms`; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(d|h|m|s|ms)$/.exec(text);
  const factor = MILLISECONDS.get(match?.[2] ?? "");
  if (match === null || factor === undefined) return undefined;
  const milliseconds = Number(match[1]) * factor;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** The shortest duration that `parseDuration` reads back as `milliseconds`, a whole number from 0. */
export function formatDuration(milliseconds: number): string {
  for (const [unit, factor] of UNITS) {
    if (milliseconds >= factor && milliseconds % factor === 0) return `${milliseconds / factor}${unit}`;
  }
  return `${milliseconds}ms`;
}
