import type { FieldViolation } from "./keywarden-error.ts";
import { quote } from "./quote.ts";
import { MAX_QUOTA, MAX_WINDOW, MIN_WINDOW, type RateLimit } from "./rate-limit.ts";

/** The year 10000, which no timestamp of protobuf's reaches, in milliseconds since the epoch. */
export const YEAR_10000 = Date.UTC(10_000, 0);

const MIN_TTL = 1_000;
/** 7,000 years, which end before the year 10000 for some time to come. */
const MAX_TTL = 7_000 * 365.25 * 86_400_000;
const MAX_RATE_LIMITS = 8;
const LIMIT_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
/** Controls, format and bidi marks, lone surrogates, line and paragraph separators: what does not show, or lies. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The field's violation, if there is a problem. */
export function violation(field: string, problem: string | undefined): readonly FieldViolation[] {
  return problem === undefined ? [] : [{ field, description: problem }];
}

/** What is wrong with a text for people, if anything. Lengths are in characters (code points). */
export function textProblem(text: string, least: number, most: number): string | undefined {
  // A code point is at most two units: what is longer needs no counting.
  const length = text.length > 2 * most ? text.length : [...text].length;
  if (length < least) return "is required";
  if (length > most) return `has at most ${most} characters, this one ${length}`;
  if (length > 0 && text.trim() === "") return "is only white space";
  const mark = INVISIBLE.exec(text);
  if (mark === null) return undefined;
  const code = text.codePointAt(mark.index)?.toString(16).toUpperCase().padStart(4, "0");
  return `has the control or format character U+${code}, which does not show`;
}

/** What is wrong with how long a key lives, if anything. Milliseconds. */
export function ttlProblem(ttl: number): string | undefined {
  if (isWhole(ttl, MIN_TTL, MAX_TTL)) return undefined;
  return `is ${ttl < MAX_TTL ? "at least 1 second" : "at most 7,000 years"}; leave it out for a key that never expires`;
}

/** Checks each item, unless there are more than `most`. */
export function checkList<Item>(
  field: string,
  items: readonly Item[],
  most: number,
  check: (field: string, item: Item) => readonly FieldViolation[],
): readonly FieldViolation[] {
  if (items.length > most) return violation(field, `has at most ${most} entries, this one ${items.length}`);
  return items.flatMap((item, index) => check(`${field}[${index}]`, item));
}

/** Finds names that were there before; `path` is what stands between the list's item and its name. */
export function checkUnique(field: string, names: readonly string[], path = ""): readonly FieldViolation[] {
  const first = new Map<string, number>();
  return names.flatMap((name, index) => {
    const before = first.get(name);
    if (before === undefined) first.set(name, index);
    const problem = before === undefined ? undefined : `${quote(name)} is ${field}[${before}] already`;
    return violation(`${field}[${index}]${path}`, problem);
  });
}

export function checkRateLimits(field: string, limits: readonly RateLimit[]): readonly FieldViolation[] {
  return [
    ...checkList(field, limits, MAX_RATE_LIMITS, checkRateLimit),
    ...checkUnique(
      field,
      limits.slice(0, MAX_RATE_LIMITS).map(({ name }) => name),
      ".name",
    ),
  ];
}

function checkRateLimit(field: string, { name, quota, window }: RateLimit): readonly FieldViolation[] {
  const isName = LIMIT_NAME.test(name);
  const isQuota = isWhole(quota, 1, MAX_QUOTA);
  const isWindow = isWhole(window, MIN_WINDOW, MAX_WINDOW);
  return [
    ...violation(
      `${field}.name`,
      isName ? undefined : "is 1 to 32 of a-z, 0-9, '_' and '-', starting with a letter",
    ),
    ...violation(`${field}.quota`, isQuota ? undefined : "is a whole number from 1 to 1,000,000"),
    ...violation(
      `${field}.window`,
      isWindow ? undefined : "is from 1 second to 31 days, in whole milliseconds",
    ),
  ];
}

export function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
