import { BUILT_IN_ENVIRONMENT } from "../../app/bootstrap.ts";
import { BUILT_IN_API } from "../../domain/api.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { bearerToken, refusalOf, type VerifyOne } from "../rpc/required-scope.ts";

/**
 * Lets a request in, or rejects with a KeywardenError: UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, or why
 * it can't be decided. `authorization`: every value that came under this name.
 */
export type Admit = (authorization: readonly string[], scope: string, peer: string) => Promise<void>;

const ONE_BEARER = new KeywardenError({
  status: "UNAUTHENTICATED",
  reason: "UNAUTHENTICATED",
  message: "the header Authorization must be there once: Bearer <token>",
});

/** Admits whoever has an admin credential that covers the scope, by the engine that decides on every other key. */
export function credentialGate(verifyOne: VerifyOne): Admit {
  return async (authorization, scope, peer) => {
    const token = bearerToken(authorization);
    if (!token) throw ONE_BEARER;
    const { decision } = await verifyOne({
      token,
      requiredScope: scope,
      clientIp: peer,
      environment: BUILT_IN_ENVIRONMENT,
      api: BUILT_IN_API,
      cost: 1,
      dryRun: false,
    });
    if (!decision.allowed) throw refusalOf(decision, scope);
  };
}
