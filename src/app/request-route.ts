import type { Api, Environment, RouteRule } from "../domain/api.ts";
import type { PresentedToken, Serving } from "../domain/decision.ts";
import type { KeyRecord } from "../domain/key.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import { quote } from "../domain/quote.ts";
import { readRequestPath } from "../domain/request-path.ts";
import type { ApiDirectory } from "./api-directory.ts";
import { environmentRequired, type ToldServing } from "./serving.ts";
import type { ProxiedRequest } from "./verification.ts";

/** What the rule that a request falls under asks, and the environment that is served. */
export type RouteDemand = Pick<RouteRule, "requiredScope" | "cost"> & Pick<Serving, "environment">;

/** Who asks, and what is known of them. */
interface Asking {
  readonly told: ToldServing;
  readonly token: PresentedToken;
  readonly record: KeyRecord | undefined;
}

/**
 * What this request asks of its token. Undefined: the token is denied whatever that is.
 *
 * Throws INVALID_ARGUMENT (API_REQUIRED, UNSAFE_PATH, ENVIRONMENT_REQUIRED), PERMISSION_DENIED (NO_ROUTE).
 */
export function demandOf(
  route: ProxiedRequest,
  { told, token, record }: Asking,
  apis: ApiDirectory,
): RouteDemand | undefined {
  if (token.kind === "missing" || token.kind === "malformed") return undefined;
  const { of: api } = told;
  if (api === undefined && token.kind === "imported") throw apiRequired();
  // A native token that is of no API, or of none that the caller serves.
  if (api === undefined) return undefined;
  const isForAll = told.environment === "*";
  const environment = isForAll ? environmentOf(token, record) : told.environment;
  // A token that nobody has issued, and that does not say itself which environment it would be of.
  if (isForAll && environment === undefined) return undefined;
  const rule = ruleFor(route, api, apis, environment);
  const served = rule.environment === "" ? told.environment : (rule.environment as Environment);
  if (served === undefined) throw environmentRequired(api);
  return { requiredScope: rule.requiredScope, cost: rule.cost, environment: served };
}

/** `environment`: whose rules count, besides those that are for all; undefined: nothing tells it. */
function ruleFor(
  { method, path }: ProxiedRequest,
  api: Api,
  apis: ApiDirectory,
  environment: string | undefined,
): RouteRule {
  const read = readRequestPath(path);
  if ("problem" in read) throw unsafePath(read.problem);
  const [first, ...others] = apis.routesOf(api).find(method, read.value, environment);
  if (first === undefined) throw noRoute(api, method, read.value, environment);
  if (others.length > 0) throw environmentRequired(api);
  return first.rule;
}

function environmentOf(token: PresentedToken, record: KeyRecord | undefined): string | undefined {
  return token.kind === "native" ? token.environment : record?.key.environment;
}

/** No caller, request or token tells whose rules count. */
function apiRequired(): KeywardenError {
  const description =
    "nothing says which API's route rules count, as the token was issued elsewhere: " +
    "set it in the request, or bind the caller's credential to it";
  return invalidArgument([{ field: "api", description }], "API_REQUIRED");
}

function unsafePath(problem: string): KeywardenError {
  return new KeywardenError({
    status: "INVALID_ARGUMENT",
    reason: "UNSAFE_PATH",
    message: `the request's path ${problem}`,
  });
}

function noRoute(api: Api, method: string, path: string, environment: string | undefined): KeywardenError {
  const where = environment === undefined ? "" : ` in ${quote(environment)}`;
  return new KeywardenError({
    status: "PERMISSION_DENIED",
    reason: "NO_ROUTE",
    message: `no route rule of the API ${api.id} is for ${quote(method)} ${quote(path)}${where}`,
  });
}
