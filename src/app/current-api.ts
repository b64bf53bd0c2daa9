import type { Api } from "../domain/api.ts";
import type { AdminParts } from "./admin-parts.ts";
import { getApi } from "./read-records.ts";
import { refuseBuiltInApi, refuseOtherEtag } from "./refusals.ts";

/** Which API, and the etag that it must have (empty: any). */
export interface ApiReference {
  readonly apiId: string;
  readonly etag: string;
}

/**
 * The API as it is now, if it may be changed.
 * Throws NOT_FOUND (API_NOT_FOUND), ABORTED (ETAG_MISMATCH), FAILED_PRECONDITION (BUILT_IN_API).
 */
export async function currentApi(parts: AdminParts, { apiId, etag }: ApiReference): Promise<Api> {
  const api = await getApi(parts, apiId);
  refuseBuiltInApi(api.id);
  refuseOtherEtag(etag, api.revision);
  return api;
}
