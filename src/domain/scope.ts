import type { Brand } from "./brand.ts";
import type { Parsed } from "./parsed.ts";
import { quote } from "./quote.ts";

/** A permission's name, such as `orders:read`. */
export type Scope = Brand<string, "Scope">;

/** What a key was granted, ready to be asked. */
export interface Grants {
  covers(scope: Scope): boolean;
}

const MAX_LENGTH = 128;
const MAX_SEGMENTS = 8;
const SEGMENT = /^[A-Za-z0-9_.-]+$/;
const OPERATOR = /^(and|or|not)$/i;

/** A scope: 1 to 8 segments of A-Z, a-z, 0-9, '_', '.' and '-' joined by ':', at most 128 characters. */
export function parseScope(text: string): Parsed<Scope> {
  const problem = problemOf(text, SEGMENT.test.bind(SEGMENT));
  if (problem !== undefined) {
    return { problem: text.includes("*") ? `${quote(text)}: a wildcard has no place here` : problem };
  }
  return { value: text as Scope };
}

/** A grant: as a scope, but `*` may stand for a segment, and as the last one for one or more. */
export function parseGrant(text: string): Parsed<string> {
  const problem = problemOf(text, (segment) => segment === "*" || SEGMENT.test(segment));
  return problem === undefined ? { value: text } : { problem };
}

/** Throws RangeError if one is no grant: what can't be read grants nothing. */
export function compileGrants(grants: readonly string[]): Grants {
  const exact = new Set<string>();
  const wildcards: (readonly string[])[] = [];
  for (const grant of grants) {
    const parsed = parseGrant(grant);
    if ("problem" in parsed) throw new RangeError(parsed.problem);
    if (grant.includes("*")) wildcards.push(grant.split(":"));
    else exact.add(grant);
  }
  return {
    covers: (scope) => exact.has(scope) || wildcards.some((wildcard) => wildcardCovers(wildcard, scope)),
  };
}

/** Does the one grant give everything that the other does? */
export function grantCovers(held: string, given: string): boolean {
  const wide = held.split(":");
  const narrow = given.split(":");
  for (const [index, segment] of wide.entries()) {
    const other = narrow[index];
    if (other === undefined) return false;
    if (segment === "*" && index === wide.length - 1) return true;
    // A wildcard at the end stands for more than the one segment that it meets here.
    if (other === "*" && index === narrow.length - 1) return false;
    if (segment !== "*" && segment !== other) return false;
  }
  return wide.length === narrow.length;
}

/** Every grant that gives this scope: at most 383 for the longest. */
export function grantsFor(scope: Scope): readonly string[] {
  const segments = scope.split(":");
  const grants: string[] = [];
  let starts: readonly string[] = [""];
  for (const [index, segment] of segments.entries()) {
    // A wildcard that ends the grant stands for this segment and all after it.
    grants.push(...starts.map((start) => `${start}*`));
    if (index === segments.length - 1) grants.push(...starts.map((start) => `${start}${segment}`));
    starts = starts.flatMap((start) => [`${start}${segment}:`, `${start}*:`]);
  }
  return grants;
}

function problemOf(text: string, isSegment: (segment: string) => boolean): string | undefined {
  if (text === "") return "a scope is not empty";
  if (text.length > MAX_LENGTH)
    return `a scope has at most ${MAX_LENGTH} characters, this one ${text.length}`;
  if (OPERATOR.test(text)) return `${quote(text)} is an operator and can't be a scope`;
  const segments = text.split(":");
  if (segments.length > MAX_SEGMENTS) {
    return `${quote(text)}: a scope has at most ${MAX_SEGMENTS} segments, this one ${segments.length}`;
  }
  const wrong = segments.find((segment) => !isSegment(segment));
  if (wrong === undefined) return undefined;
  if (wrong === "") return `${quote(text)}: a segment is empty`;
  if (wrong.includes("*")) return `${quote(text)}: '*' stands for a whole segment, not a part of one`;
  return `${quote(text)}: a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'`;
}

/** Walks both side by side, segment by segment; `start` is beyond the scope's end once that has no more. */
function wildcardCovers(wildcard: readonly string[], scope: Scope): boolean {
  let start = 0;
  for (const segment of wildcard) {
    if (start > scope.length) return false;
    const colon = scope.indexOf(":", start);
    const end = colon < 0 ? scope.length : colon;
    const isSame = end - start === segment.length && scope.startsWith(segment, start);
    if (segment !== "*" && !isSame) return false;
    start = end + 1;
  }
  return start > scope.length || wildcard.at(-1) === "*";
}
