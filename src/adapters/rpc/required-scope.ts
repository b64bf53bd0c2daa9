import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { v4 as uuidv4 } from "uuid";
import type { Caller } from "../../app/admin-parts.ts";
import { BUILT_IN_ENVIRONMENT } from "../../app/bootstrap.ts";
import type { Verdict, VerifyRequest } from "../../app/verification.ts";
import { BUILT_IN_API, BUILT_IN_TOKEN_PREFIX } from "../../domain/api.ts";
import type { Key } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { REASONS } from "../../domain/reason.ts";
import { own_key, required_scope } from "../../gen/keywarden/v1/options_pb.ts";
import type { Call } from "../../ports/transport.ts";

export type VerifyOne = (request: VerifyRequest) => Promise<Verdict>;

/** What a method's proto declares: the scope that a credential must cover, or that a token may ask about its own key. */
type Requirement = { readonly scope: string } | "own key";

/** Throws TypeError unless the method declares exactly one: no method is open by oversight. */
export function requirementOf(method: DescMethod): Requirement {
  const scope = getOption(method, required_scope);
  const isOwn = getOption(method, own_key);
  if (isOwn !== (scope === "")) {
    throw new TypeError(
      `${method.parent.typeName}/${method.name} declares ${isOwn ? "both required_scope and own_key" : "neither required_scope nor own_key"}`,
    );
  }
  return isOwn ? "own key" : { scope };
}

/** The scope that the method requires. Throws TypeError if it declares none. */
export function requiredScope(method: DescMethod): string {
  const requirement = requirementOf(method);
  if (requirement !== "own key") return requirement.scope;
  throw new TypeError(
    `${method.parent.typeName}/${method.name} requires no scope: it is about the caller's own key`,
  );
}

/** Whoever has presented the token of a key. */
export type KeyedCaller = Caller & { readonly credential: Key };

/**
 * Whoever calls the method, if they may by what it declares. A credential is a key of the built-in API, and the same
 * engine decides on it as on any other key.
 * Rejects with UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, and where it can't be decided.
 */
export async function admitted(call: Call, method: DescMethod, verifyOne: VerifyOne): Promise<KeyedCaller> {
  const requirement = requirementOf(method);
  return requirement === "own key"
    ? holder(call, verifyOne)
    : administrator(call, requirement.scope, verifyOne);
}

async function administrator(call: Call, scope: string, verifyOne: VerifyOne): Promise<KeyedCaller> {
  const credential = await presentedKey(call, verifyOne, {
    requiredScope: scope,
    environment: BUILT_IN_ENVIRONMENT,
    api: BUILT_IN_API,
    cost: 1,
  });
  return caller(call, "CREDENTIAL", credential);
}

/** Whoever presents the token of a key may do with that key what its holder may. */
async function holder(call: Call, verifyOne: VerifyOne): Promise<KeyedCaller> {
  const isCredential =
    bearerToken(call.metadata("authorization"))?.startsWith(`${BUILT_IN_TOKEN_PREFIX}_`) === true;
  const key = await presentedKey(call, verifyOne, {
    requiredScope: "",
    environment: "*",
    api: isCredential ? BUILT_IN_API : "",
    // Who has to revoke a leaked key must be able to while somebody else spends its quota.
    cost: 0,
  });
  return caller(call, "HOLDER", key);
}

function caller(call: Call, kind: "CREDENTIAL" | "HOLDER", credential: Key): KeyedCaller {
  const actor = { kind, keyId: credential.id, ip: call.peer };
  return { actor, credential, requestId: requestIdOf(call) };
}

/** The client's own name for its call, if it has one that can be kept; else a new one. */
function requestIdOf(call: Call): string {
  const [given = ""] = call.metadata("x-request-id");
  return /^[\x21-\x7e]{1,128}$/.test(given) ? given : uuidv4();
}

async function presentedKey(
  call: Call,
  verifyOne: VerifyOne,
  question: Pick<VerifyRequest, "requiredScope" | "environment" | "api" | "cost">,
): Promise<Key> {
  const token = bearerToken(call.metadata("authorization"));
  if (token === undefined) throw unauthenticated("the metadata authorization must be one Bearer credential");
  const { decision } = await verifyOne({ ...question, token, clientIp: call.peer, dryRun: false });
  if (decision.allowed && decision.record !== undefined) return decision.record.key;
  throw refusalOf(decision, question.requiredScope);
}

/** What a caller is told whose credential was not allowed. */
export function refusalOf({ reason }: Verdict["decision"], scope: string): KeywardenError {
  const { httpStatus } = REASONS[reason];
  if (httpStatus === 401) return unauthenticated("the credential is missing or not valid");
  if (httpStatus === 429) {
    const message = "the credential is over its rate limit";
    return new KeywardenError({ status: "RESOURCE_EXHAUSTED", reason: "RATE_LIMITED", message });
  }
  const message =
    reason === "INSUFFICIENT_SCOPE"
      ? `the credential does not cover the scope ${scope}`
      : "the credential may not be used from this address";
  return new KeywardenError({ status: "PERMISSION_DENIED", reason, message });
}

/** RFC 6750 section 2.1. Empty without a credential; undefined if there is more than one, or another scheme. */
export function bearerToken(values: readonly string[]): string | undefined {
  const [value, ...others] = values;
  if (value === undefined) return "";
  const [, token] = /^Bearer +([\x21-\x2b\x2d-\x7e]+)$/i.exec(value) ?? [];
  return others.length === 0 ? token : undefined;
}

export function unauthenticated(what: string): KeywardenError {
  return new KeywardenError({
    status: "UNAUTHENTICATED",
    reason: "UNAUTHENTICATED",
    message: `${what}; send it in the metadata as authorization: Bearer <token>`,
  });
}
