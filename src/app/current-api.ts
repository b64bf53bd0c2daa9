import type { Api } from "../domain/api.ts";
import type { AdminParts } from "./admin-parts.ts";
import { refuseOutsideBinding } from "./delegated.ts";
import { getApi } from "./read-records.ts";
import { refuseBuiltInApi, refuseOtherEtag } from "./refusals.ts";

/** Which API, and the etag that it must have (empty: any). */
export interface ApiReference {
  readonly apiId: string;
  readonly etag: string;
}

/**
 * The API as it is now, if it may be changed.
 * Throws NOT_FOUND (API_NOT_FOUND), ABORTED (ETAG_MISMATCH), FAILED_PRECONDITION (BUILT_IN_API),
 * PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function currentApi(parts: AdminParts, { apiId, etag }: ApiReference): Promise<Api> {
  const api = await getApi(parts, apiId);
  refuseBuiltInApi(api.id);
  // What is changed of an API is changed for all of its environments.
  refuseOutsideBinding(parts, api.id, undefined);
  refuseOtherEtag(etag, api.revision);
  return api;
}
