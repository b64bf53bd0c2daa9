import { type Api, BUILT_IN_API, BUILT_IN_TOKEN_PREFIX, type Environment } from "../domain/api.ts";
import type { Key } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { Token } from "../domain/token.ts";
import type { Change } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { issueToken } from "./issue-token.ts";

/** The environment of Keywarden's own credentials. */
export const BUILT_IN_ENVIRONMENT = "live" as Environment;

/**
 * Gives a new store the built-in API and its first admin credential, which may do everything. `keep` puts the token
 * where people find it, before the credential exists: a crash in between leaves a useless token, never a lost one.
 * Does nothing in a store that has been given one.
 */
export async function bootstrap(parts: AdminParts, keep: (token: Token) => void): Promise<void> {
  const { store } = parts;
  const api = (await store.getApi(BUILT_IN_API)) ?? (await createBuiltInApi(parts));
  const [first] = await store.listKeys({ api: BUILT_IN_API }, "", 1);
  if (first !== undefined) return;
  const environment = BUILT_IN_ENVIRONMENT;
  const { token, stored } = issueToken(parts, { prefix: api.tokenPrefix, environment, generation: 1 });
  keep(token);
  const time = parts.now();
  const key: Key = {
    id: parts.newKeyId(),
    api: api.id,
    environment,
    owner: BUILT_IN_API,
    displayName: "bootstrap admin",
    scopes: ["*"],
    allowedCidrs: [],
    rateLimits: [],
    metadata: {},
    state: "ACTIVE",
    expireTime: null,
    generation: 1,
    hint: token.hint,
    previousToken: null,
    createTime: time,
    updateTime: time,
    revokeTime: null,
    revision: 0 as Revision,
  };
  await committed(parts, { kind: "create-key", key, token: stored, expectedApi: api.revision });
}

async function createBuiltInApi(parts: AdminParts): Promise<Api> {
  const time = parts.now();
  const api: Api = {
    id: BUILT_IN_API,
    displayName: "Keywarden",
    tokenPrefix: BUILT_IN_TOKEN_PREFIX,
    environments: [BUILT_IN_ENVIRONMENT],
    scopes: [],
    routeRules: [],
    keyDefaults: { ttl: null, rateLimits: [] },
    importedTokenShapes: [],
    createTime: time,
    updateTime: time,
    revision: 0 as Revision,
  };
  return { ...api, revision: await committed(parts, { kind: "create-api", api }) };
}

async function committed({ store }: AdminParts, change: Change): Promise<Revision> {
  const result = await store.commit(change);
  if (result.ok) return result.revision;
  throw new KeywardenError({
    status: "ABORTED",
    reason: "CONTENTION",
    message: "another server set this store up at the same time; start this one again",
  });
}
