import type { RouteRule } from "./api.ts";
import { checkList, checkUnique, isWhole, violation } from "./field-rules.ts";
import type { FieldViolation } from "./keywarden-error.ts";
import { quote } from "./quote.ts";
import { MAX_QUOTA } from "./rate-limit.ts";
import { pathPattern, RULE_METHODS } from "./route-order.ts";
import { routePathProblem } from "./route-path.ts";
import { readScopeExpression } from "./scope-expression.ts";
import { isTokenLabel } from "./token.ts";

const FIELD = "api.route_rules";
const MAX_ROUTE_RULES = 1000;
/** What has more is refused for that. */
const MAX_ENVIRONMENTS = 8;
/** What stands in a place's key for a rule of all methods. */
const ALL = "*";

/**
 * Every rule of api.proto that an API's route rules break: each for itself and, once all of them are right for
 * themselves, with each other.
 */
export function checkRouteRules(
  rules: readonly RouteRule[],
  environments: readonly string[],
): readonly FieldViolation[] {
  const each = checkList(FIELD, rules, MAX_ROUTE_RULES, (field, rule) =>
    checkRouteRule(field, rule, environments),
  );
  if (each.length > 0 || environments.length > MAX_ENVIRONMENTS) return each;
  const places = placesOf(rules);
  return rules.flatMap((rule, index) => [
    ...violation(`${FIELD}[${index}].path`, twinProblem(rules, rule, index, places)),
    ...violation(`${FIELD}[${index}].environment`, coveredProblem(rule, environments, places)),
  ]);
}

function checkRouteRule(
  field: string,
  { methods, path, requiredScope, cost, environment }: RouteRule,
  environments: readonly string[],
): readonly FieldViolation[] {
  const expression = readScopeExpression(requiredScope);
  const isServed = environment === "" || environments.includes(environment);
  return [
    ...checkList(`${field}.methods`, methods, RULE_METHODS.length, (item, method) =>
      violation(item, RULE_METHODS.includes(method) ? undefined : `is one of ${RULE_METHODS.join(", ")}`),
    ),
    ...(methods.length > RULE_METHODS.length ? [] : checkUnique(`${field}.methods`, methods)),
    ...violation(`${field}.path`, routePathProblem(path)),
    ...violation(
      `${field}.required_scope`,
      "problem" in expression ? expression.problem : lineProblem(requiredScope),
    ),
    ...violation(
      `${field}.cost`,
      isWhole(cost, 1, MAX_QUOTA) ? undefined : "is a whole number from 1 to 1,000,000",
    ),
    ...violation(
      `${field}.environment`,
      isServed
        ? undefined
        : `is one of the API's: ${environments.filter(isTokenLabel).slice(0, MAX_ENVIRONMENTS).join(", ")}`,
    ),
  ];
}

/** It is kept as it is written, and shown so. */
function lineProblem(text: string): string | undefined {
  return /[\t\r\n]/.test(text) ? "is on one line, with spaces between its words" : undefined;
}

/** The first rule of each method, pattern and environment, by `placeOf`. */
function placesOf(rules: readonly RouteRule[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    for (const method of methodsOf(rule)) {
      const place = placeOf(method, rule.path, rule.environment);
      if (!first.has(place)) first.set(place, index);
    }
  }
  return first;
}

function methodsOf({ methods }: RouteRule): readonly string[] {
  return methods.length === 0 ? [ALL] : methods;
}

function placeOf(method: string, path: string, environment: string): string {
  return [method, pathPattern(path), environment].join(" ");
}

/**
 * Of two rules for the same requests nobody could say which one counts. That is so where their patterns, their
 * environments and a method are the same, and nowhere else: of two patterns that one path falls under, one always has
 * the more specific segment first.
 */
function twinProblem(
  rules: readonly RouteRule[],
  rule: RouteRule,
  index: number,
  places: ReadonlyMap<string, number>,
): string | undefined {
  const { path, environment } = rule;
  const before = methodsOf(rule)
    .map((method) => places.get(placeOf(method, path, environment)) ?? index)
    .find((first) => first < index);
  const other = before === undefined ? undefined : rules[before];
  if (other === undefined) return undefined;
  return (
    `is for requests that ${FIELD}[${before}] is for already, and neither is more specific: ` +
    `${ruleText(other)}, and ${ruleText(rule)}`
  );
}

/** A rule for all environments counts nowhere if each of them has one of its own for the same requests. */
function coveredProblem(
  rule: RouteRule,
  environments: readonly string[],
  places: ReadonlyMap<string, number>,
): string | undefined {
  if (rule.environment !== "" || environments.length === 0) return undefined;
  const own = methodsOf(rule).flatMap((method) =>
    environments.map((environment) => places.get(placeOf(method, rule.path, environment))),
  );
  if (own.includes(undefined)) return undefined;
  const named = [...new Set(own)].map((index) => `${FIELD}[${index}]`).join(", ");
  return `${ruleText(rule)} can never count: each environment has a rule of its own for its requests (${named})`;
}

/** Such as `GET, POST "/orders/:id" in live`. */
function ruleText({ methods, path, environment }: RouteRule): string {
  return `${methods.join(", ") || "all methods"} ${quote(path)}${environment === "" ? "" : ` in ${environment}`}`;
}
