import type { Parsed } from "../../domain/parsed.ts";
import { parseDuration } from "../../settings/duration.ts";

/*
 * What columns say, as databases and other systems write it. None of these repeats a value in a problem: a column that was
 * taken for another may hold a token.
 */

/** Says a column nothing? */
export function isNothing(value: unknown): value is null | undefined | "" {
  return value === undefined || value === null || value === "";
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** A day and maybe a time, with or without a zone (then UTC): ISO 8601 and what SQL databases print. */
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/;
/** Seconds since the epoch stay below this until the year 5138; milliseconds are above it since 1973. */
const LEAST_MILLISECONDS = 100_000_000_000;

/** Milliseconds since the epoch: of a date, or of a whole number of seconds or milliseconds. */
export function parseTime(value: unknown): Parsed<number> {
  const text = textOf(value).trim();
  if (/^\d{1,15}$/.test(text)) {
    const number = Number(text);
    return { value: number < LEAST_MILLISECONDS ? number * 1000 : number };
  }
  const time = parseDate(text);
  return time === undefined
    ? { problem: "is a time such as 2027-01-31T09:00:00Z, or a number of seconds or milliseconds since 1970" }
    : { value: time };
}

function parseDate(text: string): number | undefined {
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] =
    INSTANT.exec(text) ?? [];
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (year === undefined || Number(day) > lastDay) return undefined;
  const offset = /^[+-]/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}` : "Z";
  const milliseconds = fraction.slice(0, 3).padEnd(3, "0");
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
  return Number.isNaN(time) ? undefined : time;
}

const WORDS = new Map([
  ["true", true],
  ["t", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["f", false],
  ["no", false],
  ["0", false],
]);

export function parseSwitch(value: unknown): Parsed<boolean> {
  const known = WORDS.get(textOf(value).trim().toLowerCase());
  return known === undefined ? { problem: "is true or false (or t, f, 1, 0, yes, no)" } : { value: known };
}

/** A list: of JSON, or of a text with commas or spaces between; an object of lists gives `name:item` of each. */
export function parseList(value: unknown): Parsed<readonly string[]> {
  const list = structured(value);
  if (typeof list === "string") return { value: list.split(/[\s,]+/).filter((item) => item !== "") };
  if (Array.isArray(list)) return { value: list.map(textOf) };
  if (!isRecord(list)) return { problem: "is a list" };
  return {
    value: Object.entries(list).flatMap(([name, items]) =>
      Array.isArray(items) ? items.map((item) => `${name}:${textOf(item)}`) : [],
    ),
  };
}

/** Labels: an object of JSON, whose values become texts. */
export function parseLabels(value: unknown): Parsed<Readonly<Record<string, string>>> {
  const labels = structured(value);
  if (!isRecord(labels)) return { problem: "is a JSON object" };
  const entries = Object.entries(labels).filter(([, label]) => label !== null);
  return { value: Object.fromEntries(entries.map(([name, label]) => [name, textOf(label)])) };
}

export function parseWhole(value: unknown): Parsed<number> {
  const text = textOf(value).trim();
  return /^\d{1,15}$/.test(text) ? { value: Number(text) } : { problem: "is a whole number" };
}

/** Milliseconds: a whole number of them, or a duration such as `30m`. */
export function parseMilliseconds(value: unknown): Parsed<number> {
  const text = textOf(value).trim();
  const duration = parseDuration(text) ?? (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
  return duration === undefined
    ? { problem: "is a number of milliseconds, or a duration such as 30m" }
    : { value: duration };
}

/** What JSON says, also of a text of JSON within a text of JSON, as some tables have it; another text as it is. */
export function structured(value: unknown): unknown {
  if (value === "null") return {};
  let found = value;
  for (let depth = 0; depth < 2 && typeof found === "string" && /^\s*[[{"]/.test(found); depth++) {
    try {
      found = JSON.parse(found);
    } catch {
      return found;
    }
  }
  return found;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
