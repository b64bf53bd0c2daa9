import type { Api, Environment } from "../domain/api.ts";
import type { Serving } from "../domain/decision.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { ApiDirectory } from "./api-directory.ts";

/** What a caller says of itself; empty strings say nothing. */
export interface ServingClaim {
  readonly api: string;
  readonly environment: string;
}

/**
 * Which API and environment the caller serves. The environment is never guessed: the request names it, else the
 * server's setting does, else the API has only one. `tokenApi` is the API that the token belongs to, if known.
 * Without any API the environment may stay open, as no such request can be allowed.
 *
 * Throws INVALID_ARGUMENT: UNKNOWN_API, UNKNOWN_ENVIRONMENT, ENVIRONMENT_REQUIRED.
 */
export function resolveServing(
  claim: ServingClaim,
  apis: ApiDirectory,
  serverEnvironment: Environment | undefined,
  tokenApi: Api | undefined,
): Serving {
  const api = claim.api === "" ? undefined : apis.byId(claim.api);
  if (claim.api !== "" && api === undefined) {
    throw invalidArgument([{ field: "api", description: "there is no API with this id" }], "UNKNOWN_API");
  }
  return { api: api?.id, environment: resolveEnvironment(claim, api ?? tokenApi, serverEnvironment, api) };
}

function resolveEnvironment(
  claim: ServingClaim,
  api: Api | undefined,
  serverEnvironment: Environment | undefined,
  claimed: Api | undefined,
): Serving["environment"] {
  if (claim.environment === "*") return "*";
  if (claim.environment !== "") {
    if (claimed !== undefined && !claimed.environments.some((name) => name === claim.environment)) {
      const description = `the API has no such environment; it has ${claimed.environments.join(", ")}`;
      throw invalidArgument([{ field: "environment", description }], "UNKNOWN_ENVIRONMENT");
    }
    return claim.environment as Environment;
  }
  if (serverEnvironment !== undefined || api === undefined) return serverEnvironment;
  const [only, ...others] = api.environments;
  if (others.length === 0) return only;
  const description =
    `the API has several environments (${api.environments.join(", ")}), and nothing says which one is served: ` +
    'set it in the request ("*" if the caller keeps their data apart by the answer\'s environment), ' +
    "or start the server with --environment";
  throw invalidArgument([{ field: "environment", description }], "ENVIRONMENT_REQUIRED");
}
