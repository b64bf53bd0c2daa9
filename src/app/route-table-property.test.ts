import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { RouteRule } from "../domain/api.ts";
import { type RequestPath, readRequestPath } from "../domain/request-path.ts";
import { checkRouteRules } from "../domain/route-rules.ts";
import { RouteTable } from "./route-table.ts";

const segment = fc.constantFrom("a", "b", "ab", "a:b", "(a)", ":x", ":y", "A", "a.b");
const path = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom("a", ":z", "*", ""))
  .map(([segments, last]) => `/${[...segments, last].join("/")}`);
const methods = fc.subarray(["GET", "HEAD", "POST", "OPTIONS"]);
const environment = fc.constantFrom("", "test", "live");
const anyRule = fc.record({
  methods,
  path,
  environment,
  requiredScope: fc.constant(""),
  cost: fc.constant(1),
});
const ENVIRONMENTS = ["test", "live", "x"];
const rules = fc.array(anyRule, { maxLength: 14 }).map((drawn) => {
  const kept: RouteRule[] = [];
  for (const one of drawn) if (checkRouteRules([...kept, one], ENVIRONMENTS).length === 0) kept.push(one);
  return kept;
});
const asked = fc
  .array(
    fc.constantFrom("a", "b", "ab", "a:b", "(a)", "c", "A", ":x", "*", "a.b", "\u2028", "é", "x".repeat(120)),
    {
      maxLength: 4,
    },
  )
  .chain((segments) => fc.constantFrom(`/${segments.join("/")}`, `/${segments.join("/")}/`))
  .filter((text) => !text.includes("//"));
const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "OPTIONS", "PURGE", "get");
const told = fc.constantFrom(undefined, "test", "live", "x");

it("the one that counts is the one that a plain look at all of them finds", () => {
  let matched = 0;
  let several = 0;
  fc.assert(
    fc.property(
      rules,
      fc.array(fc.tuple(asked, method, told), { minLength: 8, maxLength: 8 }),
      (all, requests) => {
        const table = new RouteTable(all);
        for (const [sent, by, where] of requests) {
          const found = table.find(by, sent as RequestPath, where).map(({ index }) => index);
          expect(found).toEqual(plainlyFound(all, sent, by, where));
          if (where !== undefined) expect(found.length).toBeLessThan(2);
          if (found.length > 0) matched++;
          if (found.length > 1) several++;
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(matched).toBeGreaterThan(2_000);
  expect(several).toBeGreaterThan(20);
});

it("a path that is escaped in whatever way falls under the same rule as what it stands for", () => {
  fc.assert(
    fc.property(rules, asked, fc.infiniteStream(fc.boolean()), (all, sent, escapes) => {
      const escaped = sent.replace(/[^/]/g, (character) =>
        escapes.next().value ? everyByteEscaped(character) : encodeURI(character),
      );
      const table = new RouteTable(all);
      const read = readRequestPath(escaped);
      const again = readRequestPath(encodeURI("value" in read ? read.value : ""));
      if (!("value" in read && "value" in again)) throw new Error(`${escaped} is refused`);
      const expected = table.find("GET", sent as RequestPath, undefined);
      expect(table.find("GET", read.value, undefined)).toEqual(expected);
      expect(table.find("GET", again.value, undefined)).toEqual(expected);
    }),
  );
});

function everyByteEscaped(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16)}`).join("");
}

/** The same, written down as slowly and plainly as can be: where they are, the rules with the least rank. */
function plainlyFound(all: readonly RouteRule[], path: string, method: string, told: string | undefined) {
  const wanted = path.slice(1).split("/");
  const ranks = all.map((rule) =>
    [pathRanks(rule, wanted), methodRanks(rule, method), environmentRanks(rule, told)].join(),
  );
  const possible = ranks.filter((rank) => !rank.includes("x"));
  const [best] = possible.toSorted();
  return ranks.flatMap((rank, index) => (rank === best ? [index] : []));
}

/** An x: the rule is not for it. */
function pathRanks({ path }: RouteRule, wanted: readonly string[]): readonly (number | "x")[] {
  const pattern = path.slice(1).split("/");
  const isLongEnough =
    pattern.at(-1) === "*" ? pattern.length <= wanted.length : pattern.length === wanted.length;
  if (!isLongEnough) return ["x"];
  return pattern.map((part, index) => {
    if (part === "*") return 2;
    if (part.startsWith(":") && wanted[index] !== "") return 1;
    return part === wanted[index] ? 0 : "x";
  });
}

function methodRanks({ methods }: RouteRule, method: string): number | "x" {
  if (methods.includes(method)) return 0;
  if (methods.length === 0) return 2;
  return method === "HEAD" && methods.includes("GET") ? 1 : "x";
}

function environmentRanks({ environment }: RouteRule, told: string | undefined): number | "x" {
  if (told === undefined || environment === told) return 0;
  return environment === "" ? 1 : "x";
}
