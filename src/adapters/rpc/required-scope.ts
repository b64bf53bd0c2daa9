import { getOption, hasOption } from "@bufbuild/protobuf";
import { BUILT_IN_ENVIRONMENT } from "../../app/bootstrap.ts";
import type { Verdict, VerifyRequest } from "../../app/verify-key.ts";
import { BUILT_IN_API } from "../../domain/api.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { REASONS } from "../../domain/reason.ts";
import { AdminService } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { required_scope } from "../../gen/keywarden/v1/options_pb.ts";
import type { Call, Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { methodPath } from "../grpc/service-methods.ts";

type VerifyOne = (request: VerifyRequest) => Promise<Verdict>;

const SCOPES: ReadonlyMap<string, string> = new Map(
  AdminService.methods
    .filter((method) => hasOption(method, required_scope))
    .map((method) => [methodPath(AdminService, method), getOption(method, required_scope)]),
);

/**
 * The method, for callers only whose admin credential covers the scope that its proto declares. A credential is a
 * key of the built-in API, and the same engine decides on it as on any other key.
 * Throws if the proto declares no scope: no method is open by oversight.
 */
export function requireScope(method: UnaryMethod, verifyOne: VerifyOne): UnaryMethod {
  const scope = SCOPES.get(method.path);
  if (scope === undefined) throw new TypeError(`${method.path} declares no required_scope`);
  const admit = async (call: UnaryCall<unknown, unknown>): Promise<void> => {
    const refusal = await refusalOf(call, scope, verifyOne);
    if (refusal === undefined) method.handle([call]);
    else call.fail(refusal);
  };
  return {
    ...method,
    handle(calls) {
      for (const call of calls) void admit(call);
    },
  };
}

/** Why the caller may not go on; undefined if it may. */
async function refusalOf(call: Call, scope: string, verifyOne: VerifyOne): Promise<Failure | undefined> {
  const credential = bearerToken(call.metadata("authorization"));
  if (credential === undefined) return UNREADABLE;
  try {
    const { decision } = await verifyOne({
      token: credential,
      requiredScope: scope,
      clientIp: call.peer,
      environment: BUILT_IN_ENVIRONMENT,
      api: BUILT_IN_API,
      cost: 1,
      dryRun: false,
    });
    if (decision.allowed) return undefined;
    const { httpStatus } = REASONS[decision.reason];
    if (httpStatus === 401) return unauthenticated("the admin credential is missing or not valid");
    if (httpStatus === 429) {
      return {
        status: "RESOURCE_EXHAUSTED",
        reason: "RATE_LIMITED",
        message: "the credential is over its rate limit",
      };
    }
    const message =
      decision.reason === "INSUFFICIENT_SCOPE"
        ? `the admin credential does not cover the scope ${scope}`
        : "the admin credential may not be used from this address";
    return { status: "PERMISSION_DENIED", reason: decision.reason, message };
  } catch (error) {
    if (error instanceof KeywardenError) return error;
    return { status: "INTERNAL", reason: "INTERNAL", message: "the admin credential could not be verified" };
  }
}

/** RFC 6750 section 2.1. Empty without a credential; undefined if there is more than one, or another scheme. */
function bearerToken(values: readonly string[]): string | undefined {
  const [value, ...others] = values;
  if (value === undefined) return "";
  const [, token] = /^Bearer +([\x21-\x2b\x2d-\x7e]+)$/i.exec(value) ?? [];
  return others.length === 0 ? token : undefined;
}

function unauthenticated(what: string): Failure {
  return {
    status: "UNAUTHENTICATED",
    reason: "UNAUTHENTICATED",
    message: `${what}; send it in the metadata as authorization: Bearer <token>`,
  };
}

const UNREADABLE = unauthenticated("the metadata authorization must be one Bearer credential");
