import { type Api, BUILT_IN_API, BUILT_IN_TOKEN_PREFIX, type Environment } from "../domain/api.ts";
import type { AuditAction } from "../domain/audit-chain.ts";
import { BUILT_IN_SCOPES } from "../domain/delegation.ts";
import type { Key } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { Token } from "../domain/token.ts";
import type { Change } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { auditEntry } from "./audit-entry.ts";
import { issueToken } from "./issue-token.ts";

/** The environment of Keywarden's own credentials. */
export const BUILT_IN_ENVIRONMENT = "live" as Environment;

/**
 * Gives a new store the built-in API and its first admin credential, which may do everything. `keep` puts the token
 * where people find it, before the credential exists: a crash in between leaves a useless token, never a lost one.
 * A store that has been given one gets no other, and the scopes that this version knows.
 */
export async function bootstrap(parts: AdminParts, keep: (token: Token) => void): Promise<void> {
  await currentBuiltInApi(parts);
  // Also one that can't be trusted: else whoever edits it would get a new administrator for it.
  if (!(await parts.store.hasKeys(BUILT_IN_API))) await createAdministrator(parts, "bootstrap admin", keep);
}

/** A new credential that may do everything, for who has lost all others. `keep`: as in `bootstrap`. */
export async function createAdministrator(
  parts: AdminParts,
  displayName: string,
  keep: (token: Token) => void,
): Promise<Key> {
  const api = await currentBuiltInApi(parts);
  const environment = BUILT_IN_ENVIRONMENT;
  const { token, stored } = issueToken(parts, { prefix: api.tokenPrefix, environment, generation: 1 });
  keep(token);
  const time = parts.now();
  const key: Key = {
    id: parts.newKeyId(),
    api: api.id,
    environment,
    owner: BUILT_IN_API,
    displayName,
    scopes: ["*"],
    allowedCidrs: [],
    rateLimits: [],
    metadata: {},
    binding: null,
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
  const change: Change = { kind: "create-key", key, token: stored, expectedApi: api.revision };
  return { ...key, revision: await committed(parts, change, "CreateKey", null) };
}

async function currentBuiltInApi(parts: AdminParts): Promise<Api> {
  const known = await parts.store.getApi(BUILT_IN_API);
  const time = parts.now();
  if (known === undefined) {
    const api: Api = {
      id: BUILT_IN_API,
      displayName: "Keywarden",
      tokenPrefix: BUILT_IN_TOKEN_PREFIX,
      environments: [BUILT_IN_ENVIRONMENT],
      scopes: BUILT_IN_SCOPES,
      routeRules: [],
      keyDefaults: { ttl: null, rateLimits: [] },
      importedTokenShapes: [],
      createTime: time,
      updateTime: time,
      revision: 0 as Revision,
    };
    return { ...api, revision: await committed(parts, { kind: "create-api", api }, "CreateApi", null) };
  }
  if (JSON.stringify(known.scopes) === JSON.stringify(BUILT_IN_SCOPES)) return known;
  const api: Api = { ...known, scopes: BUILT_IN_SCOPES, updateTime: time };
  const change: Change = { kind: "update-api", api, expected: known.revision, removedEnvironments: [] };
  return { ...api, revision: await committed(parts, change, "UpdateApi", known) };
}

async function committed(
  parts: AdminParts,
  change: Change,
  action: AuditAction,
  before: Api | null,
): Promise<Revision> {
  const result = await parts.store.commit(change, auditEntry(parts, action, before));
  if (result.ok) return result.revision;
  throw new KeywardenError({
    status: "ABORTED",
    reason: "CONTENTION",
    message: "another server set this store up at the same time; start this one again",
  });
}
