import FindMyWay from "find-my-way";
import type { RouteRule } from "../domain/api.ts";
import { LONGEST_REQUEST_PATH, type RequestPath } from "../domain/request-path.ts";
import { environmentRank, isMethod, methodRank, pathPattern, RULE_METHODS } from "../domain/route-order.ts";

/** A rule, and its place among its API's. */
export interface NumberedRule {
  readonly rule: RouteRule;
  readonly index: number;
}

/** Rules of one pattern that are equally close to a method and an environment. */
interface Leaf {
  readonly ranks: readonly [method: number, environment: number];
  readonly rules: readonly NumberedRule[];
}

/** What is asked for: for a path in it, at most one leaf is found. */
type Tree = ReturnType<typeof FindMyWay>;

/** One segment that is not empty, in the words of find-my-way, which otherwise takes an empty one too. */
const PARAMETER = ":parameter([^/]+)";
/** Of each tree, as what is asked for is a matter of which tree it is. */
const TREE_METHOD = "GET";

/**
 * An API's route rules, ready to match. The most specific rule counts: by its path, segment by segment, a static one
 * before `:name` before `*`; then by its method (`methodRank`), then by its environment (`environmentRank`).
 * A tree for each method and environment is made when it is first asked for.
 */
export class RouteTable {
  readonly #rules: readonly NumberedRule[];
  readonly #environments: ReadonlySet<string>;
  readonly #trees = new Map<string, Tree>();

  constructor(rules: readonly RouteRule[]) {
    this.#rules = rules.map((rule, index) => ({ rule, index }));
    this.#environments = new Set(rules.map(({ environment }) => environment));
  }

  /**
   * The rule that counts; none if no rule is for the request. `environment`: which one is told; undefined: nothing tells,
   * and then there are several if rules of several environments are equally close.
   */
  find(method: string, path: RequestPath, environment: string | undefined): readonly NumberedRule[] {
    if (!isMethod(method)) return [];
    const leaf: Leaf | undefined = this.#treeFor(method, environment).find(TREE_METHOD, path)?.store;
    return leaf?.rules ?? [];
  }

  /** Trees that were made. Requests, whatever they say, make no more than the rules have methods and environments. */
  get treeCount(): number {
    return this.#trees.size;
  }

  #treeFor(method: string, environment: string | undefined): Tree {
    // Whatever no rule names is all the same.
    const named = RULE_METHODS.includes(method) ? method : "";
    const told = environment === undefined || this.#environments.has(environment) ? environment : "";
    const place = `${named} ${told ?? "*"}`;
    const known = this.#trees.get(place);
    if (known !== undefined) return known;
    const tree = this.#plant(named, told);
    this.#trees.set(place, tree);
    return tree;
  }

  #plant(method: string, environment: string | undefined): Tree {
    const leaves = new Map<string, Leaf>();
    for (const numbered of this.#rules) {
      const pattern = pathPattern(numbered.rule.path);
      const leaf = closer(numbered, leaves.get(pattern), method, environment);
      if (leaf !== undefined) leaves.set(pattern, leaf);
    }
    const tree = FindMyWay({
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      maxParamLength: LONGEST_REQUEST_PATH,
    });
    for (const [pattern, leaf] of leaves) tree.on(TREE_METHOD, treePath(pattern), NO_HANDLER, leaf);
    return tree;
  }
}

/** What the leaf becomes by this rule. */
function closer(
  numbered: NumberedRule,
  leaf: Leaf | undefined,
  method: string,
  environment: string | undefined,
): Leaf | undefined {
  const byMethod = methodRank(numbered.rule, method);
  const byEnvironment = environmentRank(numbered.rule, environment);
  if (byMethod === undefined || byEnvironment === undefined) return leaf;
  const difference = leaf === undefined ? -1 : byMethod - leaf.ranks[0] || byEnvironment - leaf.ranks[1];
  if (difference > 0) return leaf;
  const rules = difference < 0 || leaf === undefined ? [numbered] : [...leaf.rules, numbered];
  return { ranks: [byMethod, byEnvironment], rules };
}

/** The pattern as find-my-way writes it: there ':' begins a parameter wherever it stands, unless it is doubled. */
function treePath(pattern: string): string {
  return pattern
    .split("/")
    .map((segment) => (segment === ":" ? PARAMETER : segment.replaceAll(":", "::")))
    .join("/");
}

/** Nobody calls it: a tree is only asked what it holds. */
const NO_HANDLER = () => undefined;
