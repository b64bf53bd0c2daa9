import { invalidArgument } from "./keywarden-error.ts";
import type { Parsed } from "./parsed.ts";
import { quote } from "./quote.ts";
import { type Grants, parseScope, type Scope } from "./scope.ts";
import { withoutTokens } from "./without-tokens.ts";

/** What a call needs: a scope, all of several expressions, or any of them. All of none is satisfied by any key. */
type ScopeCondition =
  | { readonly kind: "scope"; readonly scope: Scope }
  | { readonly kind: "all" | "any"; readonly of: readonly ScopeCondition[] };

/** A required scope, parsed. */
export interface ScopeExpression {
  /** As it was written. */
  readonly text: string;
  /** Every scope in it once, in order of appearance. */
  readonly scopes: readonly Scope[];
  readonly condition: ScopeCondition;
}

const MAX_LENGTH = 1000;
const MAX_DEPTH = 16;

/**
 * Parses scopes joined by AND, OR and parentheses; side by side means AND, and AND binds tighter than OR. Blank: any
 * valid key. At most 1,000 characters and 16 levels of parentheses.
 * Throws KeywardenError INVALID_ARGUMENT, INVALID_SCOPE_EXPRESSION, that shows what is wrong where.
 */
export function parseScopeExpression(text: string): ScopeExpression {
  const parsed = readScopeExpression(text);
  if ("value" in parsed) return parsed.value;
  throw invalidArgument(
    [{ field: "required_scope", description: parsed.problem }],
    "INVALID_SCOPE_EXPRESSION",
  );
}

/** The same, for callers that name another field or collect problems. */
export function readScopeExpression(text: string): Parsed<ScopeExpression> {
  if (text.length > MAX_LENGTH) {
    return { problem: `an expression has at most ${MAX_LENGTH} characters, this one ${text.length}` };
  }
  try {
    const condition = new Parser(text).parse();
    return { value: { text, scopes: [...new Set(scopesIn(condition))], condition } };
  } catch (error) {
    if (error instanceof Mistake) return { problem: describe(text, error) };
    throw error;
  }
}

export function satisfies({ condition }: ScopeExpression, grants: Grants): boolean {
  return holds(condition, grants);
}

function holds(condition: ScopeCondition, grants: Grants): boolean {
  switch (condition.kind) {
    case "scope":
      return grants.covers(condition.scope);
    case "all":
      return condition.of.every((part) => holds(part, grants));
    case "any":
      return condition.of.some((part) => holds(part, grants));
  }
}

function scopesIn(condition: ScopeCondition): readonly Scope[] {
  return condition.kind === "scope" ? [condition.scope] : condition.of.flatMap(scopesIn);
}

/** A word or a parenthesis, and where it starts. */
interface Lexeme {
  readonly text: string;
  readonly at: number;
}

/** What is wrong, and where; it never leaves this file. */
class Mistake extends Error {
  readonly at: number;

  constructor(what: string, at: number) {
    super(what);
    this.at = at;
  }
}

/** Recursive descent, no deeper than MAX_DEPTH. */
class Parser {
  readonly #lexemes: readonly Lexeme[];
  readonly #end: number;
  #next = 0;

  constructor(text: string) {
    this.#lexemes = [...text.matchAll(/[()]|[^() \t\r\n]+/g)].map((match) => ({
      text: match[0],
      at: match.index,
    }));
    this.#end = text.length;
  }

  parse(): ScopeCondition {
    if (this.#lexemes.length === 0) return { kind: "all", of: [] };
    const condition = this.#alternatives(0);
    const rest = this.#peek();
    if (rest !== undefined) throw new Mistake("this ')' closes nothing", rest.at);
    return condition;
  }

  #peek(): Lexeme | undefined {
    return this.#lexemes[this.#next];
  }

  #take(text: string): boolean {
    const isNext = this.#peek()?.text === text;
    if (isNext) this.#next++;
    return isNext;
  }

  #alternatives(depth: number): ScopeCondition {
    const of = [this.#requirements(depth)];
    while (this.#take("OR")) of.push(this.#requirements(depth));
    return single(of) ?? { kind: "any", of };
  }

  #requirements(depth: number): ScopeCondition {
    const of = [this.#operand(depth)];
    while (this.#take("AND") || this.#startsOperand()) of.push(this.#operand(depth));
    return single(of) ?? { kind: "all", of };
  }

  #startsOperand(): boolean {
    const next = this.#peek()?.text;
    return next !== undefined && next !== ")" && next !== "OR";
  }

  #operand(depth: number): ScopeCondition {
    const lexeme = this.#peek();
    if (lexeme === undefined) throw new Mistake("a scope is missing", this.#end);
    this.#next++;
    if (lexeme.text !== "(") return { kind: "scope", scope: scopeOf(lexeme) };
    if (depth === MAX_DEPTH) throw new Mistake(`more than ${MAX_DEPTH} levels of parentheses`, lexeme.at);
    const inner = this.#alternatives(depth + 1);
    if (!this.#take(")")) throw new Mistake("this '(' is never closed", lexeme.at);
    return inner;
  }
}

function single(of: readonly ScopeCondition[]): ScopeCondition | undefined {
  return of.length === 1 ? of[0] : undefined;
}

function scopeOf({ text, at }: Lexeme): Scope {
  if (text === "AND" || text === "OR" || text === ")")
    throw new Mistake(`a scope is missing before '${text}'`, at);
  const upper = text.toUpperCase();
  if (upper === "AND" || upper === "OR") throw new Mistake(`operators are in capitals: write ${upper}`, at);
  if (upper === "NOT") throw new Mistake("there is no NOT: a key is asked only for what it was granted", at);
  if (text.includes("*"))
    throw new Mistake("wildcards belong to a key's grants: name the scope that is needed", at);
  const parsed = parseScope(text);
  if ("problem" in parsed) throw new Mistake(parsed.problem, at);
  return parsed.value;
}

/** `at character 13, near "orders:read >>>and files:read": …` */
function describe(text: string, { at, message }: Mistake): string {
  // Before they are cut, as the rest of a token does not look like one.
  const left = withoutTokens(text.slice(0, at));
  const right = withoutTokens(text.slice(at));
  const before = left.length > 20 ? `…${left.slice(-20)}` : left;
  const after = right.length > 20 ? `${right.slice(0, 20)}…` : right;
  return `at character ${at + 1}, near ${quote(`${before}>>>${after}`)}: ${message}`;
}
