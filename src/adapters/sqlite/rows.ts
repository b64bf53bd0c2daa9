import { LRUCache } from "lru-cache";
import type { Api, ApiId, Environment, RouteRule, ScopeDefinition } from "../../domain/api.ts";
import type { CredentialBinding, Key, KeyId, KeyState } from "../../domain/key.ts";
import type { RateLimit } from "../../domain/rate-limit.ts";
import type { Revision } from "../../domain/revision.ts";
import type { ImportedTokenShape } from "../../domain/token.ts";
import type { apis, keys } from "./schema.ts";
import { array, fields, integer, json, list, member, nullable, text, textMap } from "./stored-values.ts";

export type ApiRow = Omit<typeof apis.$inferSelect, "seal">;
export type KeyRow = Omit<typeof keys.$inferSelect, "seal">;
/** A row as it was read: nothing about its values is known. */
type Unchecked<Row> = { readonly [Column in keyof Row]: unknown };

const STATES: readonly KeyState[] = ["ACTIVE", "DISABLED", "REVOKED"];

export function encodeKey(key: Key, revision: number): KeyRow {
  return {
    id: key.id,
    api: key.api,
    environment: key.environment,
    owner: key.owner,
    display_name: key.displayName,
    scopes: JSON.stringify(key.scopes),
    allowed_cidrs: JSON.stringify(key.allowedCidrs),
    rate_limits: JSON.stringify(key.rateLimits),
    metadata: JSON.stringify(key.metadata),
    binding: key.binding && JSON.stringify(key.binding),
    state: key.state,
    expire_time: key.expireTime,
    generation: key.generation,
    hint: key.hint,
    previous_hint: key.previousToken?.hint ?? null,
    previous_expire_time: key.previousToken?.expireTime ?? null,
    create_time: key.createTime,
    update_time: key.updateTime,
    revoke_time: key.revokeTime,
    revision,
  };
}

/** Lists kept to be shared, a column. */
const SHARED_LISTS = 1_000;

/**
 * A reader of a column whose lists recur from key to key: equal texts give the same list, so that it, and what is
 * compiled of it, is in memory once.
 */
function shared<Item>(column: string, read: (column: string, value: unknown) => Item) {
  const lists = new LRUCache<string, readonly Item[]>({ max: SHARED_LISTS });
  return (value: unknown): readonly Item[] => {
    const stored = text(column, value);
    const known = lists.get(stored);
    if (known !== undefined) return known;
    const found = list(column, stored, read);
    lists.set(stored, found);
    return found;
  };
}

const scopesOf = shared("scopes", text);
const cidrsOf = shared("allowed_cidrs", text);
const rateLimitsOf = shared("rate_limits", rateLimit);

/** Throws TypeError, which names the column, if any value is not what `encodeKey` can have written. */
export function decodeKey(row: Unchecked<KeyRow>): Key {
  const previousHint = nullable("previous_hint", row.previous_hint, text);
  const previousExpireTime = nullable("previous_expire_time", row.previous_expire_time, integer);
  if ((previousHint === null) !== (previousExpireTime === null)) {
    throw new TypeError("previous_hint and previous_expire_time must both be there, or neither");
  }
  return {
    id: text("id", row.id) as KeyId,
    api: text("api", row.api) as ApiId,
    environment: text("environment", row.environment) as Environment,
    owner: text("owner", row.owner),
    displayName: text("display_name", row.display_name),
    scopes: scopesOf(row.scopes),
    allowedCidrs: cidrsOf(row.allowed_cidrs),
    rateLimits: rateLimitsOf(row.rate_limits),
    metadata: textMap("metadata", row.metadata),
    binding: nullable("binding", row.binding, bindingOf),
    state: member("state", row.state, STATES),
    expireTime: nullable("expire_time", row.expire_time, integer),
    generation: integer("generation", row.generation),
    hint: text("hint", row.hint),
    previousToken:
      previousHint === null || previousExpireTime === null
        ? null
        : { hint: previousHint, expireTime: previousExpireTime },
    createTime: integer("create_time", row.create_time),
    updateTime: integer("update_time", row.update_time),
    revokeTime: nullable("revoke_time", row.revoke_time, integer),
    revision: integer("revision", row.revision) as Revision,
  };
}

function bindingOf(column: string, value: unknown): CredentialBinding {
  const binding = fields<keyof CredentialBinding>(column, json(column, value));
  return {
    apis: array(column, binding.apis, (name, api) => text(name, api) as ApiId),
    environment: nullable(column, binding.environment, (name, named) => text(name, named) as Environment),
  };
}

function rateLimit(name: string, value: unknown): RateLimit {
  const limit = fields<keyof RateLimit>(name, value);
  return {
    name: text(name, limit.name),
    quota: integer(name, limit.quota),
    window: integer(name, limit.window),
  };
}

export function encodeApi(api: Api, revision: number): ApiRow {
  return {
    id: api.id,
    display_name: api.displayName,
    token_prefix: api.tokenPrefix,
    environments: JSON.stringify(api.environments),
    scopes: JSON.stringify(api.scopes),
    route_rules: JSON.stringify(api.routeRules),
    default_ttl: api.keyDefaults.ttl,
    default_rate_limits: JSON.stringify(api.keyDefaults.rateLimits),
    imported_token_shapes: JSON.stringify(api.importedTokenShapes),
    create_time: api.createTime,
    update_time: api.updateTime,
    revision,
  };
}

/** Throws TypeError, which names the column, if any value is not what `encodeApi` can have written. */
export function decodeApi(row: Unchecked<ApiRow>): Api {
  return {
    id: text("id", row.id) as ApiId,
    displayName: text("display_name", row.display_name),
    tokenPrefix: text("token_prefix", row.token_prefix),
    environments: list("environments", row.environments, (name, value) => text(name, value) as Environment),
    scopes: list("scopes", row.scopes, (name, value) => {
      const scope = fields<keyof ScopeDefinition>(name, value);
      return { name: text(name, scope.name), description: text(name, scope.description) };
    }),
    routeRules: list("route_rules", row.route_rules, (name, value) => {
      const rule = fields<keyof RouteRule>(name, value);
      return {
        methods: array(name, rule.methods, text),
        path: text(name, rule.path),
        requiredScope: text(name, rule.requiredScope),
        cost: integer(name, rule.cost),
        environment: text(name, rule.environment),
      };
    }),
    keyDefaults: {
      ttl: nullable("default_ttl", row.default_ttl, integer),
      rateLimits: list("default_rate_limits", row.default_rate_limits, rateLimit),
    },
    importedTokenShapes: list("imported_token_shapes", row.imported_token_shapes, (name, value) => {
      const shape = fields<keyof ImportedTokenShape>(name, value);
      return {
        prefix: text(name, shape.prefix),
        minLength: integer(name, shape.minLength),
        maxLength: integer(name, shape.maxLength),
      };
    }),
    createTime: integer("create_time", row.create_time),
    updateTime: integer("update_time", row.update_time),
    revision: integer("revision", row.revision) as Revision,
  };
}
