import type { ApiId, Environment } from "../domain/api.ts";
import type { Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import { refuseOutsideBinding } from "./delegated.ts";
import { getKey } from "./read-records.ts";
import type { Explanation, VerifyRequest } from "./verify-key.ts";

export type Explain = (request: VerifyRequest, key: Key | undefined) => Promise<Explanation>;

/**
 * Every check of what would be decided on this request, for its token, or for the current token of the key of this id. A
 * key is explained as if its own API and environment were served, unless the request says which are. Nothing is charged.
 *
 * Throws NOT_FOUND (KEY_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND), and INVALID_ARGUMENT as a verification does.
 */
export async function explainKey(
  parts: AdminParts,
  explain: Explain,
  request: VerifyRequest,
  keyId: string,
): Promise<Explanation> {
  if (keyId !== "") {
    const key = await getKey(parts, keyId);
    const { api, environment } = key;
    return explain(
      { ...request, api: request.api || api, environment: request.environment || environment },
      key,
    );
  }
  const explanation = await explain(request, undefined);
  const key: { readonly api: ApiId; readonly environment: Environment } | undefined =
    explanation.decision.record?.key;
  if (key !== undefined) refuseOutsideBinding(parts, key.api, key.environment);
  return explanation;
}
