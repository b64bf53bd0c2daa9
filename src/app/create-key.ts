import type { Api, Environment } from "../domain/api.ts";
import type { CredentialBinding, Key } from "../domain/key.ts";
import { canonicalKeyFields, checkKeyFields } from "../domain/key-rules.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { RateLimit } from "../domain/rate-limit.ts";
import { API_ID_RULE, isApiId } from "../domain/record-ids.ts";
import type { Revision } from "../domain/revision.ts";
import type { Token } from "../domain/token.ts";
import type { AdminParts } from "./admin-parts.ts";
import { repeated } from "./attempts.ts";
import { auditEntry } from "./audit-entry.ts";
import { checkBoundApis } from "./bound-apis.ts";
import { refuseBeyondCaller, refuseOutsideBinding } from "./delegated.ts";
import { checkTtl, type Expiration, expireTimeOf } from "./expiration.ts";
import { issueToken } from "./issue-token.ts";
import { getApi } from "./read-records.ts";
import { canonicalRequestId } from "./refusals.ts";
import { fingerprintOf, type RepeatableRequest, replay, servedBy } from "./served-requests.ts";

/** What is asked of a new key. Empty lists and strings stand for what is not said. */
export interface CreateKeyInput {
  readonly api: string;
  readonly environment: string;
  readonly owner: string;
  readonly displayName: string;
  readonly scopes: readonly string[];
  readonly allowedCidrs: readonly string[];
  readonly rateLimits: readonly RateLimit[];
  readonly metadata: Readonly<Record<string, string>>;
  /** For keys of the built-in API only. */
  readonly binding: CredentialBinding | null;
  readonly expiration: Expiration | undefined;
}

/** A key with its new token; no token where the request had been served before. */
export type IssuedKey =
  | { readonly key: Key; readonly token: Token; readonly replayed: false }
  | { readonly key: Key; readonly replayed: true };

/**
 * Creates a key with its first token.
 *
 * Throws INVALID_ARGUMENT with a violation for each field that breaks its rule, NOT_FOUND (API_NOT_FOUND),
 * ALREADY_EXISTS (REQUEST_ID_REUSED), PERMISSION_DENIED (CREDENTIAL_BOUND, BEYOND_OWN_AUTHORITY).
 */
export async function createKey(
  parts: AdminParts,
  input: CreateKeyInput,
  requestId: string,
): Promise<IssuedKey> {
  const request = {
    requestId: canonicalRequestId(requestId),
    // The same labels in another order, as some clients write maps, are the same request.
    fingerprint: fingerprintOf(parts, "CreateKey", { ...input, metadata: sortedEntries(input.metadata) }),
  };
  return repeated(async () => {
    const before = await replay(parts, request);
    if (before !== undefined) return { key: before, replayed: true };
    if (!isApiId(input.api)) {
      throw invalidArgument([{ field: "key.api", description: `names an API, whose id ${API_ID_RULE}` }]);
    }
    const api = await getApi(parts, input.api);
    return issueKey(parts, api, input, request);
  });
}

/** Undefined: the API changed meanwhile, or the same request was served meanwhile. */
async function issueKey(
  parts: AdminParts,
  api: Api,
  input: CreateKeyInput,
  request: RepeatableRequest,
): Promise<IssuedKey | undefined> {
  const now = parts.now();
  const ttlViolations = checkTtl(input.expiration);
  const [onlyEnvironment, ...otherEnvironments] = api.environments;
  const fields = {
    environment: (input.environment === "" && otherEnvironments.length === 0
      ? onlyEnvironment
      : input.environment) as Environment,
    owner: input.owner,
    displayName: input.displayName,
    scopes: input.scopes,
    allowedCidrs: input.allowedCidrs,
    rateLimits: input.rateLimits.length > 0 ? input.rateLimits : api.keyDefaults.rateLimits,
    metadata: input.metadata,
    binding: input.binding,
    expireTime:
      ttlViolations.length > 0 ? null : expireTimeOf(input.expiration ?? { ttl: api.keyDefaults.ttl }, now),
  };
  const violations = [
    ...ttlViolations,
    ...checkKeyFields(fields, api, now),
    ...(await checkBoundApis(parts, fields.binding)),
  ];
  if (violations.length > 0) throw invalidArgument(violations);
  refuseOutsideBinding(parts, api.id, fields.environment);
  const { environment } = fields;
  const { token, stored } = issueToken(parts, { prefix: api.tokenPrefix, environment, generation: 1 });
  const key: Key = {
    ...canonicalKeyFields(fields),
    id: parts.newKeyId(),
    api: api.id,
    state: "ACTIVE",
    generation: 1,
    hint: token.hint,
    previousToken: null,
    createTime: now,
    updateTime: now,
    revokeTime: null,
    revision: 0 as Revision,
  };
  refuseBeyondCaller(parts, key);
  const result = await parts.store.commit(
    { kind: "create-key", key, token: stored, expectedApi: api.revision, ...servedBy(request, key, now) },
    auditEntry(parts, "CreateKey", null, request.requestId),
  );
  return result.ok ? { key: { ...key, revision: result.revision }, token, replayed: false } : undefined;
}

function sortedEntries(labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
