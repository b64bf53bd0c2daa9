import type { VerifyRequest } from "../../app/verification.ts";
import { clientAddress } from "../../domain/forwarded-for.ts";
import { invalidArgument, type KeywardenError, malformedRequest } from "../../domain/keywarden-error.ts";
import { quote } from "../../domain/quote.ts";
import { credentialOf } from "../proxy/credential.ts";
import { FORWARDED_FOR, type ProxyOptions } from "../proxy/proxy-options.ts";
import type { CheckRequest } from "./check-request.ts";
import { DEFAULT_COST } from "./verify-key-request.ts";

/** What an operator may write beside a route. */
const REQUIRED_SCOPE = "required_scope";
const API = "api";
const ENVIRONMENT = "environment";
const EXTENSIONS: ReadonlySet<string> = new Set([REQUIRED_SCOPE, API, ENVIRONMENT]);

/**
 * What there is to verify. A route that is told which scope it needs needs no rule; else the API's rules say it.
 * Throws INVALID_ARGUMENT: INVALID_CREDENTIAL, or UNKNOWN_CONTEXT_EXTENSION, as what nobody reads may have been meant to
 * restrict.
 */
export function questionOf(request: CheckRequest, options: ProxyOptions): VerifyRequest {
  const { contextExtensions, headers, method, path } = request;
  for (const name of contextExtensions.keys()) if (!EXTENSIONS.has(name)) throw unknownExtension(name);
  const { credentialHeader, forwardedTrust } = options;
  const requiredScope = contextExtensions.get(REQUIRED_SCOPE);
  const forwardedFor = headers.get(FORWARDED_FOR)?.join(",");
  return {
    route: requiredScope === undefined ? { method, path } : undefined,
    token: credentialOf(credentialHeader, headers.get(credentialHeader) ?? []),
    requiredScope: requiredScope ?? "",
    clientIp: clientAddress(request.sourceAddress, forwardedFor, forwardedTrust),
    environment: contextExtensions.get(ENVIRONMENT) ?? "",
    api: contextExtensions.get(API) ?? "",
    cost: DEFAULT_COST,
    dryRun: false,
  };
}

export const MALFORMED = malformedRequest("the message is no CheckRequest");

function unknownExtension(name: string): KeywardenError {
  const description = `there is no ${quote(name)}; there are ${[...EXTENSIONS].join(", ")}`;
  return invalidArgument(
    [{ field: "attributes.context_extensions", description }],
    "UNKNOWN_CONTEXT_EXTENSION",
  );
}
