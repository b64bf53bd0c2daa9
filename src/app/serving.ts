import type { Api, ApiId, Environment } from "../domain/api.ts";
import type { Serving } from "../domain/decision.ts";
import type { CredentialBinding } from "../domain/key.ts";
import { type FieldViolation, invalidArgument, type KeywardenError } from "../domain/keywarden-error.ts";
import { isTokenLabel } from "../domain/token.ts";
import type { ApiDirectory } from "./api-directory.ts";

/** What a request says of its caller; empty strings say nothing. */
export interface ServingClaim {
  readonly api: string;
  readonly environment: string;
}

/** What is known besides the request. */
export interface ServingKnowledge {
  readonly apis: ApiDirectory;
  /** The server's setting. */
  readonly environment: Environment | undefined;
  /** The API that the token belongs to, if known. */
  readonly tokenApi: Api | undefined;
  /** What the caller's credential or certificate is bound to; null: nothing. */
  readonly caller: CredentialBinding | null;
}

/** What is told of what a caller serves. */
export interface ToldServing extends Serving {
  /** The API whose environments there are, and whose rules say what a request needs. undefined: no API could be told. */
  readonly of: Api | undefined;
}

/** Of a caller's many APIs, those that a message names. */
const APIS_NAMED = 5;

/**
 * Which API and environment the caller serves. A request cannot contradict what its caller is bound to. The environment
 * is never guessed: the request names it, else the caller is bound to it, else the server's setting says it, else the
 * API has only one. Without any API the environment may stay open, as no such request can be allowed.
 *
 * Throws INVALID_ARGUMENT: CALLER_API, CALLER_ENVIRONMENT, UNKNOWN_API, UNKNOWN_ENVIRONMENT, ENVIRONMENT_REQUIRED.
 */
export function resolveServing(claim: ServingClaim, knowledge: ServingKnowledge): Serving {
  const told = toldServing(claim, knowledge);
  if (told.environment === undefined && told.of !== undefined) throw environmentRequired(told.of);
  return told;
}

/** The same, for who may know the environment from elsewhere: it stays open where nothing tells it. */
export function toldServing(claim: ServingClaim, knowledge: ServingKnowledge): ToldServing {
  const { apis, caller, tokenApi } = knowledge;
  if (caller !== null) refuseContradiction(claim, caller);
  if (claim.api === "" && caller !== null && caller.apis.length > 1) {
    return ofSeveral(claim, caller, knowledge);
  }
  const id = claim.api === "" ? caller?.apis[0] : claim.api;
  const api = id === undefined ? undefined : apis.byId(id);
  if (claim.api !== "" && api === undefined) {
    throw invalidArgument([{ field: "api", description: "there is no API with this id" }], "UNKNOWN_API");
  }
  const of = api ?? tokenApi;
  return {
    // One that a caller is bound to may be gone: no token is of it.
    api: api?.id ?? caller?.apis[0],
    environment: toldEnvironment(claim, of, knowledge, api),
    of,
  };
}

/** A caller that is bound to several APIs serves the one of the token, if that is among them. */
function ofSeveral(
  claim: ServingClaim,
  { apis }: CredentialBinding,
  knowledge: ServingKnowledge,
): ToldServing {
  const { tokenApi } = knowledge;
  const of = tokenApi !== undefined && apis.includes(tokenApi.id) ? tokenApi : undefined;
  return {
    api: of?.id ?? apis[0],
    environment: toldEnvironment(claim, of, knowledge, undefined),
    of,
  };
}

function refuseContradiction(claim: ServingClaim, { apis, environment }: CredentialBinding): void {
  const violations: (FieldViolation & { readonly reason: string })[] = [];
  if (claim.api !== "" && apis.length > 0 && !apis.some((id) => id === claim.api)) {
    const description = `the caller serves ${named(apis)}: leave it empty, or name what the caller serves`;
    violations.push({ field: "api", description, reason: "CALLER_API" });
  }
  if (claim.environment !== "" && environment !== null && claim.environment !== environment) {
    const description = `the caller serves ${environment}: leave it empty, or write ${environment}`;
    violations.push({ field: "environment", description, reason: "CALLER_ENVIRONMENT" });
  }
  const [first] = violations;
  if (first === undefined) return;
  throw invalidArgument(
    violations.map(({ field, description }) => ({ field, description })),
    first.reason,
  );
}

function named(apis: readonly ApiId[]): string {
  const others = apis.length - APIS_NAMED;
  return apis.slice(0, APIS_NAMED).join(", ") + (others > 0 ? ` and ${others} others` : "");
}

/** undefined: nothing tells it. */
function toldEnvironment(
  claim: ServingClaim,
  api: Api | undefined,
  { environment: serverEnvironment, caller }: ServingKnowledge,
  claimed: Api | undefined,
): Serving["environment"] {
  if (claim.environment === "*") return "*";
  if (claim.environment !== "") {
    if (claimed !== undefined && !claimed.environments.some((name) => name === claim.environment)) {
      const description = `the API has no such environment; it has ${claimed.environments.join(", ")}`;
      throw invalidArgument([{ field: "environment", description }], "UNKNOWN_ENVIRONMENT");
    }
    if (!isTokenLabel(claim.environment)) {
      const description = `is 1 to 16 of a-z and 0-9, starting with a letter, or "*"; this has ${claim.environment.length} characters`;
      throw invalidArgument([{ field: "environment", description }], "UNKNOWN_ENVIRONMENT");
    }
    return claim.environment as Environment;
  }
  const said = caller?.environment ?? serverEnvironment;
  if (said !== undefined || api === undefined) return said;
  const [only, ...others] = api.environments;
  return others.length === 0 ? only : undefined;
}

/** The API has several environments, and nothing says which one is served. */
export function environmentRequired({ environments }: Api): KeywardenError {
  const description =
    `the API has several environments (${environments.join(", ")}), and nothing says which one is served: ` +
    'set it in the request ("*" if the caller keeps their data apart by the answer\'s environment), ' +
    "bind the caller's credential to it, or start the server with --environment";
  return invalidArgument([{ field: "environment", description }], "ENVIRONMENT_REQUIRED");
}
