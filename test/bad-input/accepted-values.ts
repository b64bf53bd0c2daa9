import type { Meaning } from "./bad-values.ts";
import type { FieldPlace } from "./field-places.ts";
import { verdictsOnUnknown } from "./unruled-values.ts";
import {
  API_ID,
  anyTime,
  atMost,
  bytes,
  count,
  denials,
  denied,
  EXPRESSION,
  etag,
  existing,
  future,
  GRANT,
  grace,
  HASH,
  ignored,
  keyId,
  LABEL,
  LIMIT_NAME,
  labels,
  like,
  limitWindow,
  METADATA_NAME,
  METHOD,
  moments,
  OK,
  optional,
  optionalCount,
  pageSize,
  pageToken,
  past,
  people,
  REFUSED,
  ROUTE,
  type Rule,
  requestId,
  required,
  SCOPE,
  SECOND,
  ttl,
  UUID,
  type Verdict,
  whole,
  YEAR_10000,
} from "./value-rules.ts";

const QUESTION: Readonly<Record<string, Rule>> = {
  required_scope: atMost(like(EXPRESSION), "DENIED", "INVALID_ARGUMENT"),
  environment: optional(like(/^(test|live|\*)$/)),
  api: optional(like(/^(orders|keywarden)$/)),
  cost: whole(0n, 1_000_000n),
};

/** By a field's message and name; before a colon, of one method only. */
const RULES: Readonly<Record<string, Rule>> = {
  "CreateApiRequest.api": required,
  "UpdateApiRequest.api": required,
  "CreateKeyRequest.key": required,
  "UpdateKeyRequest.key": required,

  "CreateApi:Api.api_id": like(API_ID),
  "UpdateApi:Api.api_id": existing(API_ID, "FAILED_PRECONDITION"),
  "CreateApi:Api.display_name": people(1, 128),
  "UpdateApi:Api.display_name": optional(people(1, 128)),
  "CreateApi:Api.token_prefix": like(LABEL),
  "UpdateApi:Api.token_prefix": ignored,
  "CreateApi:Api.environments": count(1, 8),
  "UpdateApi:Api.environments": optionalCount(count(1, 8)),
  // Its route rule serves "test".
  "Api.environments[]": atMost(like(LABEL)),
  "Api.scopes": count(0, 1_000),
  "Api.scopes[]": required,
  "ScopeDefinition.name": like(SCOPE),
  "ScopeDefinition.description": people(0, 256),
  "Api.route_rules": count(0, 1_000),
  "Api.route_rules[]": required,
  "RouteRule.methods": count(0, 7),
  "RouteRule.methods[]": like(/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/),
  "RouteRule.path": atMost(like(ROUTE)),
  "RouteRule.required_scope": atMost(like(EXPRESSION)),
  "RouteRule.cost": whole(0n, 1_000_000n),
  "RouteRule.environment": optional(like(/^(test|live)$/)),
  "Api.key_defaults": ignored,
  "KeyDefaults.ttl": moments((time) => time >= SECOND && time < YEAR_10000, OK),
  "KeyDefaults.rate_limits": count(0, 8),
  "KeyDefaults.rate_limits[]": required,
  "Api.imported_token_shapes": count(0, 8, OK),
  "Api.imported_token_shapes[]": required,
  "ImportedTokenShape.prefix": like(/^[!-~]{0,32}$/),
  // Not beyond max_length.
  "ImportedTokenShape.min_length": atMost(whole(16n, 512n)),
  "ImportedTokenShape.max_length": whole(16n, 512n),
  "Api.create_time": ignored,
  "Api.update_time": ignored,
  "CreateApi:Api.etag": ignored,
  "Api.etag": etag,

  "GetApiRequest.api_id": existing(API_ID),
  "DeleteApiRequest.api_id": existing(API_ID, "FAILED_PRECONDITION"),

  "CreateKey:Key.key_id": ignored,
  "UpdateKey:Key.key_id": keyId,
  "CreateKey:Key.api": existing(API_ID, "INVALID_ARGUMENT"),
  "UpdateKey:Key.api": ignored,
  "CreateKey:Key.environment": like(/^(test|live)$/),
  "UpdateKey:Key.environment": ignored,
  "CreateKey:Key.owner": people(1, 128),
  "UpdateKey:Key.owner": optional(people(1, 128)),
  "Key.display_name": people(0, 128),
  "Key.scopes": count(0, 100, OK),
  "Key.scopes[]": atMost(like(GRANT), "INVALID_ARGUMENT", "PERMISSION_DENIED"),
  "Key.allowed_cidrs": count(0, 100, OK),
  "Key.allowed_cidrs[]": required,
  "Key.rate_limits": count(0, 8),
  "Key.rate_limits[]": required,
  "RateLimit.name": like(LIMIT_NAME),
  "RateLimit.quota": whole(1n, 1_000_000n),
  "RateLimit.window": limitWindow,
  "Key.metadata": labels,
  "Key.metadata{key}": like(METADATA_NAME),
  "Key.metadata{value}": people(0, 512),
  "Key.expire_time": future,
  "Key.ttl": ttl,
  "Key.state": ignored,
  "Key.hint": ignored,
  "Key.previous_token": ignored,
  "Key.create_time": ignored,
  "Key.update_time": ignored,
  "Key.revoke_time": ignored,
  "CreateKey:Key.etag": ignored,
  "Key.etag": etag,
  // Without a binding, or bound to an environment only.
  "Key.binding": (meaning) => (meaning.kind === "unset" ? OK : REFUSED),
  "CredentialBinding.apis": count(0, 100),
  "CredentialBinding.apis[]": like(/^(orders|changed|keywarden)$/),
  "CredentialBinding.environment": optional(like(LABEL)),
  "Key.last_use": ignored,
  "CreateKeyRequest.request_id": requestId,

  "FieldMask.paths": ignored,
  "UpdateApi:FieldMask.paths[]": like(
    /^(\*|display_name|environments|scopes|route_rules|key_defaults|imported_token_shapes)$/,
  ),
  "UpdateKey:FieldMask.paths[]": like(
    /^(\*|owner|display_name|scopes|allowed_cidrs|rate_limits|metadata|binding|expire_time|ttl)$/,
  ),
  "UpdateApiRequest.update_mask": ignored,
  "UpdateKeyRequest.update_mask": ignored,

  "GetKeyRequest.key_id": keyId,
  "RotateKeyRequest.key_id": keyId,
  "RotateKeyRequest.grace": grace,
  "RotateKeyRequest.etag": etag,
  "RotateKeyRequest.request_id": requestId,
  "RevokeKeyRequest.key_id": keyId,
  "RevokeKeyRequest.etag": etag,
  "DisableKeyRequest.key_id": keyId,
  "DisableKeyRequest.etag": etag,
  "EnableKeyRequest.key_id": keyId,
  "EnableKeyRequest.etag": etag,
  "EndGraceRequest.key_id": keyId,
  "EndGraceRequest.etag": etag,
  "DeleteApiRequest.etag": etag,

  "ListApisRequest.page_size": pageSize,
  "ListApisRequest.page_token": pageToken,
  "ListKeysRequest.page_size": pageSize,
  "ListKeysRequest.page_token": pageToken,
  "ListKeysRequest.api": optional(like(API_ID)),
  "ListKeysRequest.environment": optional(like(LABEL)),
  "ListKeysRequest.owner": optional(people(1, 128)),
  "ListKeysRequest.state": whole(0n, 3n),
  "ListKeysRequest.expiring_before": anyTime,
  "ListKeysRequest.unused_since": anyTime,
  "ListKeysRequest.scope": optional(like(SCOPE)),
  "ListKeysRequest.prefix": optional(people(1, 128)),
  "QueryUsageRequest.page_size": pageSize,
  "QueryUsageRequest.page_token": pageToken,
  "QueryUsageRequest.key_id": optional(keyId),
  // Not to be left out with an environment.
  "QueryUsageRequest.api": atMost(optional(existing(API_ID)), "INVALID_ARGUMENT", "NOT_FOUND"),
  "QueryUsageRequest.environment": optional(like(LABEL)),
  // Before the other one.
  "QueryUsageRequest.from_time": atMost(anyTime),
  "QueryUsageRequest.until_time": atMost(anyTime),
  "QueryUsageRequest.granularity": whole(0n, 2n),
  "ListAuditEventsRequest.page_size": pageSize,
  "ListAuditEventsRequest.page_token": pageToken,
  "ListAuditEventsRequest.api": optional(like(API_ID)),
  "ListAuditEventsRequest.record_id": optional(like(new RegExp(`${UUID.source}|${API_ID.source}`))),
  "ListAuditEventsRequest.actor_key_id": optional(like(UUID)),
  "ListAuditEventsRequest.action": optional(like(/^(Create|Update|Delete)(Api|Key)$/)),
  "ListAuditEventsRequest.from_time": anyTime,
  "ListAuditEventsRequest.until_time": anyTime,

  "VerifyAuditRequest.from_revision": whole(0n, 1n),
  "VerifyAuditRequest.checkpoint": (meaning) => (meaning.kind === "unset" ? OK : REFUSED),
  "AuditCheckpoint.revision": whole(0n, 2n ** 53n - 1n),
  "AuditCheckpoint.hash": like(HASH),
  "AuditCheckpoint.time": moments(() => true, REFUSED),
  "AuditCheckpoint.signature": like(/^[A-Za-z0-9+/]{86}==$/),
  "AuditCheckpoint.public_key": ignored,

  "BatchImportKeysRequest.api": existing(API_ID, "INVALID_ARGUMENT", "FAILED_PRECONDITION"),
  "BatchImportKeysRequest.environment": like(/^(test|live)$/),
  "BatchImportKeysRequest.keys": count(1, 1_000, OK),
  "BatchImportKeysRequest.keys[]": required,
  "BatchImportKeysRequest.dry_run": ignored,
  "BatchImportKeysRequest.request_id": requestId,
  "ImportedKey.token_sha256": bytes(32),
  "ImportedKey.token_start": atMost(like(/^[!-~]{0,24}$/)),
  "ImportedKey.token_end": like(/^[!-~]{0,4}$/),
  "ImportedKey.native_token": ignored,
  "ImportedKey.owner": people(1, 128),
  "ImportedKey.display_name": people(0, 128),
  "ImportedKey.scopes": count(0, 100, OK),
  "ImportedKey.scopes[]": like(GRANT),
  "ImportedKey.allowed_cidrs": count(0, 100, OK),
  "ImportedKey.allowed_cidrs[]": required,
  "ImportedKey.rate_limits": count(0, 8),
  "ImportedKey.rate_limits[]": required,
  "ImportedKey.metadata": labels,
  "ImportedKey.metadata{key}": like(METADATA_NAME),
  "ImportedKey.metadata{value}": people(0, 512),
  "ImportedKey.expire_time": future,
  "ImportedKey.disabled": ignored,
  "ImportedKey.create_time": past,

  "ExplainKeyRequest.key_id": keyId,
  "ExplainKeyRequest.token": (meaning) => (meaning.kind === "unset" ? REFUSED : OK),
  "ExplainKeyRequest.client_ip": ignored,
  ...named("ExplainKeyRequest", QUESTION),

  "ExplainRouteRequest.api_id": existing(API_ID),
  "ExplainRouteRequest.method": like(METHOD),
  // What is wrong with a path is the answer.
  "ExplainRouteRequest.path": like(/^/),
  "ExplainRouteRequest.environment": optional(like(/^(test|live)$/)),

  "VerifyKeyRequest.token": denied,
  // One that can't be read is as good as none, and the key is for one network.
  "VerifyKeyRequest.client_ip": denied,
  ...named("VerifyKeyRequest", QUESTION, denials),
  "VerifyKeyRequest.dry_run": ignored,
  "BatchVerifyKeysRequest.requests": count(1, 100, OK),
  "BatchVerifyKeysRequest.requests[]": denied,
};

function named(
  message: string,
  rules: Readonly<Record<string, Rule>>,
  of: (rule: Rule) => Rule = (rule) => rule,
): Readonly<Record<string, Rule>> {
  return Object.fromEntries(Object.entries(rules).map(([name, rule]) => [`${message}.${name}`, of(rule)]));
}

/** What may become of a request of the method that means this at this place. */
export function verdictsOn(method: string, place: FieldPlace, meaning: Meaning): readonly Verdict[] {
  if (meaning.kind === "unreadable") return REFUSED;
  if (isIgnored(method, place)) return OK;
  return ruleOf(method, place.name)?.(meaning) ?? verdictsOnUnknown(meaning, place.kind);
}

/** Those that have fields of their own which count. */
function isGroup(name: string): boolean {
  return [
    "Api.key_defaults",
    "UpdateApiRequest.update_mask",
    "UpdateKeyRequest.update_mask",
    "FieldMask.paths",
  ].includes(name);
}

/** Is it all the same what stands there? */
export function isIgnored(method: string, place: FieldPlace): boolean {
  return [...place.within, place.name].some((name) => ruleOf(method, name) === ignored && !isGroup(name));
}

function ruleOf(method: string, name: string): Rule | undefined {
  return RULES[`${method}:${name}`] ?? RULES[name];
}

/** What the rules are about. */
export const RULED_FIELDS: readonly string[] = Object.keys(RULES).map((name) => name.replace(/^\w+:/, ""));
