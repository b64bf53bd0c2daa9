import {
  type Api,
  BUILT_IN_API,
  BUILT_IN_TOKEN_PREFIX,
  type RouteRule,
  type ScopeDefinition,
} from "./api.ts";
import {
  checkList,
  checkRateLimits,
  checkUnique,
  isWhole,
  textProblem,
  ttlProblem,
  violation,
} from "./field-rules.ts";
import type { FieldViolation } from "./keywarden-error.ts";
import { MAX_QUOTA } from "./rate-limit.ts";
import { API_ID_RULE, isApiId } from "./record-ids.ts";
import { routePathProblem } from "./route-path.ts";
import { parseScope } from "./scope.ts";
import { readScopeExpression } from "./scope-expression.ts";
import { type ImportedTokenShape, isPrintable, isTokenLabel } from "./token.ts";

/** What an admin says of an API. */
export type ApiFields = Omit<Api, "id" | "environments" | "createTime" | "updateTime" | "revision"> & {
  readonly id: string;
  readonly environments: readonly string[];
};

const MAX_DISPLAY_NAME = 128;
const MAX_DESCRIPTION = 256;
const MAX_ENVIRONMENTS = 8;
const MAX_SCOPES = 1000;
const MAX_ROUTE_RULES = 1000;
const MAX_IMPORTED_SHAPES = 8;
const MAX_IMPORTED_PREFIX = 32;
const MIN_IMPORTED_LENGTH = 16;
const MAX_IMPORTED_LENGTH = 512;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const LABEL_RULE = "is 1 to 16 of a-z and 0-9, starting with a letter";

/** Every rule of api.proto that the fields break. The built-in API's id and prefix are not to be had. */
export function checkApiFields(fields: ApiFields): FieldViolation[] {
  const { keyDefaults, environments, scopes, routeRules, importedTokenShapes } = fields;
  return [
    ...violation("api.api_id", idProblem(fields.id)),
    ...violation("api.display_name", textProblem(fields.displayName, 1, MAX_DISPLAY_NAME)),
    ...violation("api.token_prefix", prefixProblem(fields.tokenPrefix)),
    ...checkEnvironments(environments),
    ...checkScopeDefinitions(scopes),
    ...checkList("api.route_rules", routeRules, MAX_ROUTE_RULES, (field, rule) =>
      checkRouteRule(field, rule, environments),
    ),
    ...(routeRules.length > MAX_ROUTE_RULES ? [] : checkUniqueRoutes(routeRules)),
    ...violation("api.key_defaults.ttl", keyDefaults.ttl === null ? undefined : ttlProblem(keyDefaults.ttl)),
    ...checkRateLimits("api.key_defaults.rate_limits", keyDefaults.rateLimits),
    ...checkList("api.imported_token_shapes", importedTokenShapes, MAX_IMPORTED_SHAPES, checkImportedShape),
  ];
}

function idProblem(id: string): string | undefined {
  if (!isApiId(id)) return API_ID_RULE;
  return id === BUILT_IN_API ? `${id} is the built-in API: choose another id` : undefined;
}

function prefixProblem(prefix: string): string | undefined {
  if (!isTokenLabel(prefix)) return LABEL_RULE;
  return prefix === BUILT_IN_TOKEN_PREFIX
    ? `${prefix} is the built-in API's prefix: choose another`
    : undefined;
}

function checkEnvironments(environments: readonly string[]): readonly FieldViolation[] {
  const field = "api.environments";
  if (environments.length === 0) return violation(field, "is required: an API has at least one environment");
  return [
    ...checkList(field, environments, MAX_ENVIRONMENTS, (item, name) =>
      violation(item, isTokenLabel(name) ? undefined : LABEL_RULE),
    ),
    ...checkUnique(field, environments.slice(0, MAX_ENVIRONMENTS)),
  ];
}

function checkScopeDefinitions(scopes: readonly ScopeDefinition[]): readonly FieldViolation[] {
  const field = "api.scopes";
  const names = scopes.slice(0, MAX_SCOPES).map(({ name }) => name);
  return [
    ...checkList(field, scopes, MAX_SCOPES, checkScopeDefinition),
    ...checkUnique(field, names, ".name"),
  ];
}

function checkScopeDefinition(
  field: string,
  { name, description }: ScopeDefinition,
): readonly FieldViolation[] {
  const parsed = parseScope(name);
  return [
    ...violation(`${field}.name`, "problem" in parsed ? parsed.problem : undefined),
    ...violation(`${field}.description`, textProblem(description, 0, MAX_DESCRIPTION)),
  ];
}

function checkRouteRule(
  field: string,
  { methods, path, requiredScope, cost, environment }: RouteRule,
  environments: readonly string[],
): readonly FieldViolation[] {
  const expression = readScopeExpression(requiredScope);
  const isServed = environment === "" || environments.includes(environment);
  return [
    ...checkList(`${field}.methods`, methods, METHODS.length, (item, method) =>
      violation(item, METHODS.includes(method) ? undefined : `is one of ${METHODS.join(", ")}`),
    ),
    ...(methods.length > METHODS.length ? [] : checkUnique(`${field}.methods`, methods)),
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

/** Of two rules for the same requests nobody could say which one counts. */
function checkUniqueRoutes(rules: readonly RouteRule[]): readonly FieldViolation[] {
  const first = new Map<string, number>();
  return rules.flatMap(({ methods, path, environment }, index) => {
    const pattern = path.replace(/\/:[^/]*/g, "/:");
    const routes = (methods.length === 0 ? ["*"] : methods).map((method) =>
      [method, pattern, environment].join(" "),
    );
    const before = routes.map((route) => first.get(route)).find((known) => known !== undefined);
    for (const route of routes) if (!first.has(route)) first.set(route, index);
    const problem =
      before === undefined || before === index
        ? undefined
        : `is for requests that api.route_rules[${before}] is for already: the same method, path and environment`;
    return violation(`api.route_rules[${index}].path`, problem);
  });
}

function checkImportedShape(field: string, shape: ImportedTokenShape): readonly FieldViolation[] {
  const { prefix, minLength, maxLength } = shape;
  const isPrefix = prefix.length <= MAX_IMPORTED_PREFIX && isPrintable(prefix);
  const isMinimum = isWhole(minLength, MIN_IMPORTED_LENGTH, MAX_IMPORTED_LENGTH);
  const isMaximum = isWhole(maxLength, minLength, MAX_IMPORTED_LENGTH);
  return [
    ...violation(
      `${field}.prefix`,
      isPrefix ? undefined : "is up to 32 printable ASCII characters, no space",
    ),
    ...violation(`${field}.min_length`, isMinimum ? undefined : "is from 16 to 512 characters"),
    ...violation(`${field}.max_length`, isMaximum ? undefined : "is from min_length to 512 characters"),
  ];
}
