import { type ApiId, BUILT_IN_API, type Environment } from "../domain/api.ts";
import { excessOf, isBoundTo, isWithinBinding, overseesAllOf, powerExcessOf } from "../domain/delegation.ts";
import type { Key } from "../domain/key.ts";
import { type FieldViolation, KeywardenError } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";

/** No API's id: what a credential that is bound to some can't leave open. */
export const NO_API = "" as ApiId;

type Called = Pick<AdminParts, "caller">;

/** The API that the caller means who names none; undefined: the credential is bound to several, or to none. */
export function onlyBoundApi({ caller: { credential } }: Called): ApiId | undefined {
  const [only, ...others] = credential?.binding?.apis ?? [];
  return others.length === 0 ? only : undefined;
}

/** The environment that the caller means who names none; undefined: the credential is bound to none. */
export function boundEnvironment({ caller: { credential } }: Called): Environment | undefined {
  return credential?.binding?.environment ?? undefined;
}

/**
 * Throws PERMISSION_DENIED (CREDENTIAL_BOUND) if the caller's credential is bound to other APIs or another environment.
 * An undefined environment stands for all of the API's. Of single keys, ask `refuseKeyOutsideBinding`.
 */
export function refuseOutsideBinding(called: Called, api: ApiId, environment: Environment | undefined): void {
  refuseUnless(called, (credential) => isBoundTo(credential, api, environment));
}

/** Throws PERMISSION_DENIED (CREDENTIAL_BOUND) if the caller's credential is bound so that it may not act on this key. */
export function refuseKeyOutsideBinding(called: Called, key: Key): void {
  refuseUnless(called, (credential) => isWithinBinding(credential, key));
}

/**
 * Throws PERMISSION_DENIED (CREDENTIAL_BOUND) if the caller may not be told what concerns all keys of this API and
 * environment together: of credentials, who is bound sees some only.
 */
export function refusePartialSight(called: Called, api: ApiId, environment: Environment | undefined): void {
  refuseUnless(called, (credential) => overseesAllOf(credential, api, environment));
}

/** Who calls without a credential is bound to nothing. */
function refuseUnless({ caller: { credential } }: Called, isAllowed: (credential: Key) => boolean): void {
  if (credential !== null && !isAllowed(credential)) throw boundElsewhere(credential);
}

/** Throws PERMISSION_DENIED (BEYOND_OWN_AUTHORITY) if this is a credential that can do what the caller's own can't. */
export function refuseBeyondCaller({ caller: { credential } }: Called, given: Key): void {
  if (credential === null || given.api !== BUILT_IN_API) return;
  refuseExcess("nobody gives more than they hold", excessOf(credential, given));
}

/**
 * Throws PERMISSION_DENIED (BEYOND_OWN_AUTHORITY) if this is a credential with more power than the caller's own: what it
 * may do, whenever and from wherever it may be used.
 */
export function refuseMorePowerful({ caller: { credential } }: Called, key: Key): void {
  if (credential === null || key.api !== BUILT_IN_API) return;
  refuseExcess("nobody changes a credential that can do more than their own", powerExcessOf(credential, key));
}

function refuseExcess(rule: string, violations: readonly FieldViolation[]): void {
  if (violations.length === 0) return;
  throw new KeywardenError({
    status: "PERMISSION_DENIED",
    reason: "BEYOND_OWN_AUTHORITY",
    message: `${rule}: ${violations.map(({ field, description }) => `${field}: ${description}`).join("; ")}`,
    violations,
  });
}

function boundElsewhere({ binding }: Key): KeywardenError {
  const { apis = [], environment = null } = binding ?? {};
  const where = [
    ...(apis.length > 0 ? [`API ${apis.join(", ")}`] : []),
    ...(environment === null ? [] : [`environment ${environment}`]),
  ];
  return new KeywardenError({
    status: "PERMISSION_DENIED",
    reason: "CREDENTIAL_BOUND",
    message: `your credential is bound to ${where.join(" and ")}: it may not do this`,
  });
}
