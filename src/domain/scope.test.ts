import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGrants, parseGrant, parseScope, type Scope } from "./scope.ts";

const eight = Array.from({ length: 8 }, () => "a").join(":");

const covers = (grant: string, scope: string) => compileGrants([grant]).covers(scope as Scope);
/** A grant in the words of a regular expression. */
const asPattern = (text: string) =>
  text.replaceAll(".", "\\.").replace(/\*$/, "[^:]+(:[^:]+)@").replaceAll("*", "[^:]+").replaceAll("@", "*");

describe("a scope", () => {
  test.each(["orders:read", "orders", "A-z_0.9:x", eight, "a".repeat(128), "android", "order:and", "not-x"])(
    "may be %s",
    (text) => expect(parseScope(text)).toEqual({ value: text }),
  );

  test.each([
    ["", "a scope is not empty"],
    ["a".repeat(129), "a scope has at most 128 characters, this one 129"],
    [`${eight}:a`, `"${eight}:a": a scope has at most 8 segments, this one 9`],
    ["a:", '"a:": a segment is empty'],
    [":a", '":a": a segment is empty'],
    ["a::b", '"a::b": a segment is empty'],
    ["a b", "\"a b\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'"],
    ["a\n", "\"a\\n\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'"],
    ["(a", "\"(a\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'"],
    ["é", "\"é\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'"],
    ["AND", '"AND" is an operator and can\'t be a scope'],
    ["or", '"or" is an operator and can\'t be a scope'],
    ["Not", '"Not" is an operator and can\'t be a scope'],
    ["orders:*", '"orders:*": a wildcard has no place here'],
    ["*", '"*": a wildcard has no place here'],
  ])("may not be %j", (text, problem) => expect(parseScope(text)).toEqual({ problem }));
});

describe("a grant", () => {
  test.each(["orders:read", "*", "orders:*", "*:read", "a:*:c", "*:*", "*:a:*"])("may be %s", (text) => {
    expect(parseGrant(text)).toEqual({ value: text });
  });

  test.each([
    ["ord*", "\"ord*\": '*' stands for a whole segment, not a part of one"],
    ["a:**", "\"a:**\": '*' stands for a whole segment, not a part of one"],
    ["", "a scope is not empty"],
    ["a:", '"a:": a segment is empty'],
    ["and", '"and" is an operator and can\'t be a scope'],
    ["a b", "\"a b\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'"],
    [`${eight}:*`, `"${eight}:*": a scope has at most 8 segments, this one 9`],
  ])("may not be %j", (text, problem) => expect(parseGrant(text)).toEqual({ problem }));
});

describe("grants cover", () => {
  test.each([
    ["orders:read", "orders:read", true],
    ["orders:read", "orders:write", false],
    ["orders", "orders:read", false],
    ["orders:*", "orders:read", true],
    ["orders:*", "orders:read:own", true],
    ["orders:*", "orders", false],
    ["orders:*", "ordersx:read", false],
    ["orders:*", "order:read", false],
    ["*", "orders", true],
    ["*", "orders:read:own", true],
    ["*:read", "orders:read", true],
    ["*:read", "orders:write", false],
    ["*:read", "read", false],
    ["*:read", "orders:own:read", false],
    ["*:read", "orders:read:own", false],
    ["a:*:c", "a:b:c", true],
    ["a:*:c", "a:b:d", false],
    ["a:*:c", "a:c", false],
    ["a:*:c", "a:b:b:c", false],
    ["a:*:*", "a:b", false],
    ["a:*:*", "a:b:c:d", true],
  ])("%s covers %s: %j", (grant, scope, expected) => expect(covers(grant, scope)).toBe(expected));

  test("what a matcher made from their description covers", () => {
    const segment = fc.constantFrom("a", "b", "ab", "a.b");
    const scope = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(":"));
    const grant = fc
      .array(fc.oneof(segment, fc.constant("*")), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(":"));
    fc.assert(
      fc.property(fc.array(grant, { maxLength: 4 }), scope, (grants, wanted) => {
        const expected = grants.some((text) => new RegExp(`^${asPattern(text)}$`).test(wanted));
        expect(compileGrants(grants).covers(wanted as Scope)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test("nothing if there are none", () => expect(compileGrants([]).covers("a" as Scope)).toBe(false));

  test("nothing at all if one can't be read", () => {
    expect(() => compileGrants(["orders:read", "or ders"])).toThrow(RangeError);
    expect(() => compileGrants(["ord*"])).toThrow("whole segment");
  });
});
