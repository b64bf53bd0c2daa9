import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeywardenError } from "./keywarden-error.ts";
import { compileGrants } from "./scope.ts";
import { parseScopeExpression, readScopeExpression, satisfies } from "./scope-expression.ts";

/** Any code point, lone surrogates included. */
const character = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code));

const holds = (text: string, ...grants: string[]) =>
  satisfies(parseScopeExpression(text), compileGrants(grants));

function problemOf(text: string): string {
  const parsed = readScopeExpression(text);
  if ("value" in parsed) throw new Error(`${text} was accepted`);
  return parsed.problem;
}

function catchError(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a required scope", () => {
  test.each(["", " ", "\t\r\n"])("that is blank (%j) is satisfied by any key", (text) => {
    expect(holds(text)).toBe(true);
    expect(parseScopeExpression(text).scopes).toEqual([]);
  });

  test.each([
    ["a", ["a"], true],
    ["a", ["b"], false],
    ["a", [], false],
    ["a AND b", ["a", "b"], true],
    ["a AND b", ["a"], false],
    ["a b", ["a", "b"], true],
    ["a b", ["b"], false],
    ["a OR b", ["b"], true],
    ["a OR b", ["c"], false],
    ["a OR b AND c", ["a"], true],
    ["a OR b AND c", ["b"], false],
    ["a OR b c", ["a"], true],
    ["(a OR b) AND c", ["a"], false],
    ["(a OR b) AND c", ["b", "c"], true],
    ["a(b OR c)d", ["a", "c", "d"], true],
    ["a(b OR c)d", ["a", "d"], false],
    ["((a))", ["a"], true],
    ["\ta\r\nAND\tb ", ["a", "b"], true],
    ["files:read orders:read", ["*:read"], true],
  ])("%s with the grants %j: %j", (text, grants, expected) => expect(holds(text, ...grants)).toBe(expected));

  test("names its scopes once each, in order, and keeps its text", () => {
    const text = " b AND (a OR b:c) a ";
    expect(parseScopeExpression(text)).toMatchObject({ text, scopes: ["b", "a", "b:c"] });
  });

  test("means what a naive evaluation of it means, however it is written", () => {
    type Tree = { readonly of: readonly Tree[]; readonly operator: "AND" | "OR" | " " } | string;
    const scope = fc.constantFrom("a", "b", "c:d", "e:f:g");
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        scope,
        fc.record({
          operator: fc.constantFrom("AND" as const, "OR" as const, " " as const),
          of: fc.array(tie("tree"), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    const print = (node: Tree): string => {
      if (typeof node === "string") return node;
      // Parentheses only where the precedence needs them: a mistake in it would change the meaning.
      const parts = node.of.map((part) => {
        const isLoose = typeof part !== "string" && part.operator === "OR" && node.operator !== "OR";
        return isLoose ? `(${print(part)})` : print(part);
      });
      return parts.join(` ${node.operator} `);
    };
    const evaluate = (node: Tree, granted: readonly string[]): boolean => {
      if (typeof node === "string") return granted.includes(node);
      return node.operator === "OR"
        ? node.of.some((part) => evaluate(part, granted))
        : node.of.every((part) => evaluate(part, granted));
    };
    fc.assert(
      fc.property(tree, fc.subarray(["a", "b", "c:d", "e:f:g"]), (node, granted) => {
        const text = print(node);
        fc.pre(text.length <= 1000);
        expect(holds(text, ...granted)).toBe(evaluate(node, granted));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a broken expression says what is wrong, and where", () => {
  test.each([
    [
      "orders:read and files:read",
      'at character 13, near "orders:read >>>and files:read": operators are in capitals: write AND',
    ],
    ["a Or b", 'at character 3, near "a >>>Or b": operators are in capitals: write OR'],
    [
      "NOT a",
      'at character 1, near ">>>NOT a": there is no NOT: a key is asked only for what it was granted',
    ],
    [
      "a not",
      'at character 3, near "a >>>not": there is no NOT: a key is asked only for what it was granted',
    ],
    [
      "orders:*",
      'at character 1, near ">>>orders:*": wildcards belong to a key\'s grants: name the scope that is needed',
    ],
    ["a AND", 'at character 6, near "a AND>>>": a scope is missing'],
    ["a OR OR b", "at character 6, near \"a OR >>>OR b\": a scope is missing before 'OR'"],
    ["AND a", "at character 1, near \">>>AND a\": a scope is missing before 'AND'"],
    ["()", "at character 2, near \"(>>>)\": a scope is missing before ')'"],
    ["(a", "at character 1, near \">>>(a\": this '(' is never closed"],
    ["(a OR (b)", "at character 1, near \">>>(a OR (b)\": this '(' is never closed"],
    ["a)", "at character 2, near \"a>>>)\": this ')' closes nothing"],
    [")", "at character 1, near \">>>)\": a scope is missing before ')'"],
    [
      "a\u00a0b",
      "at character 1, near \">>>a\u00a0b\": \"a\u00a0b\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'",
    ],
    [
      "a:b, c",
      "at character 1, near \">>>a:b, c\": \"a:b,\": a segment is made of A-Z, a-z, 0-9, '_', '.' and '-'",
    ],
    [
      `${"a ".repeat(30)}and ${"b ".repeat(30)}`,
      'at character 61, near "…a a a a a a a a a a >>>and b b b b b b b b …": operators are in capitals: write AND',
    ],
    [
      `${"a".repeat(19)} and ${"b".repeat(16)}`,
      `at character 21, near "${"a".repeat(19)} >>>and ${"b".repeat(16)}": operators are in capitals: write AND`,
    ],
  ])("%s", (text, problem) => expect(problemOf(text)).toBe(problem));

  test("is refused beyond 1,000 characters, and read up to them", () => {
    expect(holds("a ".repeat(500), "a")).toBe(true);
    expect(problemOf("a ".repeat(501))).toBe("an expression has at most 1000 characters, this one 1002");
    expect(problemOf(" ".repeat(1001))).toContain("at most 1000");
  });

  test("is refused beyond 16 levels, and read up to them", () => {
    expect(holds(`${"(".repeat(16)}a${")".repeat(16)}`, "a")).toBe(true);
    expect(problemOf(`${"(".repeat(17)}a${")".repeat(17)}`)).toBe(
      'at character 17, near "((((((((((((((((>>>(a)))))))))))))))))": more than 16 levels of parentheses',
    );
    expect(problemOf("(".repeat(1000))).toContain("more than 16 levels");
  });

  test("as INVALID_ARGUMENT for the field required_scope", () => {
    const error = catchError(() => parseScopeExpression("a and"));
    expect(error).toBeInstanceOf(KeywardenError);
    expect(error).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "INVALID_SCOPE_EXPRESSION",
      message: `required_scope: ${problemOf("a and")}`,
      violations: [{ field: "required_scope", description: problemOf("a and") }],
    });
  });

  test("and never in any other way, whatever was sent", () => {
    const piece = fc.constantFrom("(", ")", " ", "a", "AND", "OR", "not", "*", ":", "\u202e", "é", "\0");
    const text = fc.oneof(
      fc.string({ unit: character, maxLength: 20 }),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (sent) => {
        const parsed = readScopeExpression(sent);
        const error = catchError(() => parseScopeExpression(sent));
        expect(error instanceof KeywardenError).toBe("problem" in parsed);
        expect("problem" in parsed ? parsed.problem : "").not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
      { numRuns: 1000 },
    );
  });
});
