import { type Api, type ApiId, BUILT_IN_API } from "../domain/api.ts";
import { isWithinBinding } from "../domain/delegation.ts";
import type { Key, KeyId } from "../domain/key.ts";
import type { AdminReads, KeyFilter } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import {
  boundEnvironment,
  NO_API,
  onlyBoundApi,
  refuseKeyOutsideBinding,
  refuseOutsideBinding,
} from "./delegated.ts";
import type { Page, PageRequest } from "./page-tokens.ts";
import { apiNotFound, keyNotFound } from "./refusals.ts";

/** Throws NOT_FOUND (API_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND). */
export async function getApi(parts: AdminParts, id: string): Promise<Api> {
  const api = await parts.store.getApi(id as ApiId);
  refuseOutsideBinding(parts, id as ApiId, boundEnvironment(parts));
  if (api === undefined) throw apiNotFound(id);
  return api;
}

/** Those that the caller may read, by id. Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN). */
export function listApis(
  { store, pageTokens, caller }: AdminParts,
  request: PageRequest,
): Promise<Page<Api>> {
  const bound = caller.credential?.binding?.apis ?? [];
  return pageTokens.page(["apis", ...bound], request, (after, limit) =>
    bound.length === 0 ? store.listApis(after, limit) : theseApis(store, bound, after, limit),
  );
}

async function theseApis(
  store: AdminReads,
  ids: readonly ApiId[],
  after: string,
  limit: number,
): Promise<readonly Api[]> {
  const next = ids.filter((id) => id > after).toSorted();
  const apis = await Promise.all(next.map((id) => store.getApi(id)));
  // Those that are gone do not count: a page that is short of them would seem to be the last.
  return apis.filter((api) => api !== undefined).slice(0, limit);
}

/** Throws NOT_FOUND (KEY_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND). */
export async function getKey(parts: AdminParts, id: string): Promise<Key> {
  const key = await parts.store.getKey(id as KeyId);
  if (key === undefined) throw keyNotFound(id);
  refuseKeyOutsideBinding(parts, key);
  return key;
}

/**
 * By creation. A credential that is bound to one API or to an environment lists the keys of that; one that is bound to
 * several APIs has to say which. Of credentials it lists those that it may act on.
 * Throws INVALID_ARGUMENT (INVALID_PAGE_TOKEN), PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function listKeys(
  parts: AdminParts,
  asked: KeyFilter,
  request: PageRequest,
): Promise<Page<Key>> {
  const api = asked.api ?? onlyBoundApi(parts);
  // Credentials are all of one environment, whatever they are bound to.
  const bound = api === BUILT_IN_API ? undefined : boundEnvironment(parts);
  const environment = asked.environment ?? bound;
  const filter: KeyFilter = { ...asked, api, environment };
  refuseOutsideBinding(parts, api ?? NO_API, environment);
  const { owner, state, expiringBefore, grants, prefix, unusedSince } = asked;
  const asks = [api, environment, owner, state, expiringBefore, grants, prefix, unusedSince];
  const query = ["keys", ...asks.map((value) => value ?? null)];
  return parts.pageTokens.page(query, request, (after, limit) => visibleKeys(parts, filter, after, limit));
}

/** Reads on in place of keys that the caller may not see: a page that is short of them would seem to be the last. */
async function visibleKeys(
  { store, caller: { credential } }: AdminParts,
  filter: KeyFilter,
  after: string,
  limit: number,
): Promise<readonly Key[]> {
  const visible: Key[] = [];
  for (let from: string | undefined = after; from !== undefined && visible.length < limit; ) {
    const keys: readonly Key[] = await store.listKeys(filter, from, limit);
    visible.push(...keys.filter((key) => credential === null || isWithinBinding(credential, key)));
    from = keys.length < limit ? undefined : keys.at(-1)?.id;
  }
  return visible.slice(0, limit);
}
