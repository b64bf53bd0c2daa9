import { type ApiId, BUILT_IN_API, type Environment } from "../domain/api.ts";
import { excessOf, isBoundTo } from "../domain/delegation.ts";
import type { Key } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { AdminParts } from "./admin-parts.ts";

/** No API's id: what a credential that is bound to some can't leave open. */
export const NO_API = "" as ApiId;

type Called = Pick<AdminParts, "caller">;

/** The API that the caller means who names none; undefined: the credential is bound to several, or to none. */
export function onlyBoundApi({ caller: { credential } }: Called): ApiId | undefined {
  const [only, ...others] = credential?.binding?.apis ?? [];
  return others.length === 0 ? only : undefined;
}

/**
 * Throws PERMISSION_DENIED (CREDENTIAL_BOUND) if the caller's credential is bound to other APIs or another environment.
 * An undefined environment stands for all of the API's.
 */
export function refuseOutsideBinding(
  { caller: { credential } }: Called,
  api: ApiId,
  environment: Environment | undefined,
): void {
  if (credential === null || isBoundTo(credential, api, environment)) return;
  const { apis = [], environment: bound = null } = credential.binding ?? {};
  const where = [
    ...(apis.length > 0 ? [`API ${apis.join(", ")}`] : []),
    ...(bound === null ? [] : [`environment ${bound}`]),
  ];
  throw new KeywardenError({
    status: "PERMISSION_DENIED",
    reason: "CREDENTIAL_BOUND",
    message: `your credential is bound to ${where.join(" and ")}: it may not do this`,
  });
}

/** Throws PERMISSION_DENIED (BEYOND_OWN_AUTHORITY) if this is a credential that can do what the caller's own can't. */
export function refuseBeyondCaller({ caller: { credential } }: Called, given: Key): void {
  if (credential === null || given.api !== BUILT_IN_API) return;
  const violations = excessOf(credential, given);
  if (violations.length === 0) return;
  throw new KeywardenError({
    status: "PERMISSION_DENIED",
    reason: "BEYOND_OWN_AUTHORITY",
    message: `nobody gives more than they hold: ${violations.map(({ field, description }) => `${field}: ${description}`).join("; ")}`,
    violations,
  });
}
