import type { AdminParts } from "./admin-parts.ts";
import type { DecisionExplainer, Explanation } from "./decision-explainer.ts";
import { refuseKeyOutsideBinding } from "./delegated.ts";
import { sourceOf } from "./failure-budget.ts";
import { getKey } from "./read-records.ts";
import type { VerifyRequest } from "./verification.ts";

/**
 * Every check of what would be decided on this request, for its token, or for the current token of the key of this id. A
 * key is explained as if its own API and environment were served, unless the request says which are. Nothing is charged
 * but the caller's failure budget, for a token that nobody has issued.
 *
 * Throws NOT_FOUND (KEY_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND), RESOURCE_EXHAUSTED (RATE_LIMITED), and
 * INVALID_ARGUMENT as a verification does.
 */
export async function explainKey(
  parts: AdminParts,
  explainer: Pick<DecisionExplainer, "explain">,
  request: VerifyRequest,
  keyId: string,
): Promise<Explanation> {
  if (keyId !== "") {
    const key = await getKey(parts, keyId);
    const { api, environment } = key;
    const served = { api: request.api || api, environment: request.environment || environment };
    return explainer.explain({ ...request, ...served }, { key });
  }
  const { actor, credential: caller } = parts.caller;
  // The request's client is one that might come: who guesses is the caller.
  const source = sourceOf({ request: { clientIp: "" }, peer: actor.ip, caller });
  const explanation = await explainer.explain(request, { source });
  const { record } = explanation.decision;
  if (record !== undefined) refuseKeyOutsideBinding(parts, record.key);
  return explanation;
}
