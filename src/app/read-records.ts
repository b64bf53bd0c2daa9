import type { Api, ApiId } from "../domain/api.ts";
import type { Key, KeyId } from "../domain/key.ts";
import type { KeyFilter } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import type { Page, PageRequest } from "./page-tokens.ts";
import { apiNotFound, keyNotFound } from "./refusals.ts";

/** Throws NOT_FOUND (API_NOT_FOUND). */
export async function getApi({ store }: AdminParts, id: string): Promise<Api> {
  const api = await store.getApi(id as ApiId);
  if (api === undefined) throw apiNotFound(id);
  return api;
}

/** By id. Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN). */
export function listApis({ store, pageTokens }: AdminParts, request: PageRequest): Promise<Page<Api>> {
  return pageTokens.page(["apis"], request, (after, limit) => store.listApis(after, limit));
}

/** Throws NOT_FOUND (KEY_NOT_FOUND). */
export async function getKey({ store }: AdminParts, id: string): Promise<Key> {
  const key = await store.getKey(id as KeyId);
  if (key === undefined) throw keyNotFound(id);
  return key;
}

/** By creation. Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN). */
export function listKeys(
  { store, pageTokens }: AdminParts,
  filter: KeyFilter,
  request: PageRequest,
): Promise<Page<Key>> {
  const { api, environment, owner, state } = filter;
  const query = ["keys", api ?? null, environment ?? null, owner ?? null, state ?? null];
  return pageTokens.page(query, request, (after, limit) => store.listKeys(filter, after, limit));
}
