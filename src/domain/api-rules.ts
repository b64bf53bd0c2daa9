import { type Api, BUILT_IN_API, BUILT_IN_TOKEN_PREFIX, type ScopeDefinition } from "./api.ts";
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
import { API_ID_RULE, isApiId } from "./record-ids.ts";
import { checkRouteRules } from "./route-rules.ts";
import { parseScope } from "./scope.ts";
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
const MAX_IMPORTED_SHAPES = 8;
const MAX_IMPORTED_PREFIX = 32;
const MIN_IMPORTED_LENGTH = 16;
const MAX_IMPORTED_LENGTH = 512;
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
    ...checkRouteRules(routeRules, environments),
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
