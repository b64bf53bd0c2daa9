import { create } from "@bufbuild/protobuf";
import { type FieldMask, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CreateKeyInput } from "../../app/create-key.ts";
import type { Expiration } from "../../app/expiration.ts";
import { etagOf } from "../../app/refusals.ts";
import type { KeyPatch } from "../../app/update-key.ts";
import type { KeyUses } from "../../app/usage-last-uses.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import type { CredentialBinding, Key, KeyState } from "../../domain/key.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import { grantsFor, parseScope } from "../../domain/scope.ts";
import type { ListKeysRequest } from "../../gen/keywarden/v1/admin_service_pb.ts";
import { Key_State, type Key as KeyMessage, KeySchema } from "../../gen/keywarden/v1/key_pb.ts";
import type { KeyFilter } from "../../ports/store.ts";
import { maskedFields } from "./field-mask.ts";
import { durationMilliseconds, millisecondsOf } from "./moments.ts";
import { rateLimitsOf, rateLimitToMessage } from "./rate-limit-message.ts";
import { apiIdOf, environmentOf, filterOf, peoplesTextOf } from "./references.ts";
import { lastUseFields } from "./usage-message.ts";

const STATES: Readonly<Record<KeyState, Key_State>> = {
  ACTIVE: Key_State.ACTIVE,
  DISABLED: Key_State.DISABLED,
  REVOKED: Key_State.REVOKED,
};

/** `uses`: of the key's tokens; undefined where they are not told. */
export function keyToMessage(key: Key, uses: KeyUses = NO_USES): KeyMessage {
  const { id, api, environment, owner, displayName, hint, previousToken, revokeTime } = key;
  const lastUses = lastUseFields(uses);
  return create(KeySchema, {
    ...lastUses.ofKey,
    keyId: id,
    api,
    environment,
    owner,
    displayName,
    scopes: [...key.scopes],
    allowedCidrs: [...key.allowedCidrs],
    rateLimits: key.rateLimits.map(rateLimitToMessage),
    metadata: { ...key.metadata },
    ...(key.binding !== null && {
      binding: { apis: [...key.binding.apis], environment: key.binding.environment ?? "" },
    }),
    ...(key.expireTime !== null && {
      expiration: { case: "expireTime", value: timestampFromMs(key.expireTime) },
    }),
    state: STATES[key.state],
    hint,
    ...(previousToken !== null && {
      previousToken: {
        hint: previousToken.hint,
        expireTime: timestampFromMs(previousToken.expireTime),
        ...lastUses.ofPreviousToken,
      },
    }),
    createTime: timestampFromMs(key.createTime),
    updateTime: timestampFromMs(key.updateTime),
    ...(revokeTime !== null && { revokeTime: timestampFromMs(revokeTime) }),
    etag: etagOf(key.revision),
  });
}

const NO_USES: KeyUses = { current: undefined, previous: undefined };

/** Throws INVALID_ARGUMENT for what no key can have. */
export function keyFilterOf(request: ListKeysRequest): KeyFilter {
  const { api, environment, owner, state, expiringBefore, scope, prefix, unusedSince } = request;
  return {
    api: filterOf(api, "api", apiIdOf),
    environment: filterOf(environment, "environment", environmentOf),
    owner: filterOf(owner, "owner", peoplesTextOf),
    state: keyStateOf(state),
    expiringBefore: expiringBefore && millisecondsOf(expiringBefore, "expiring_before"),
    grants: scope === "" ? undefined : grantsOf(scope),
    prefix: filterOf(prefix, "prefix", peoplesTextOf),
    unusedSince: unusedSince && millisecondsOf(unusedSince, "unused_since"),
  };
}

function grantsOf(scope: string): readonly string[] {
  const parsed = parseScope(scope);
  if ("problem" in parsed) throw invalidArgument([{ field: "scope", description: parsed.problem }]);
  return grantsFor(parsed.value);
}

/** The state that a filter names; undefined: any. Throws INVALID_ARGUMENT for one that this version does not know. */
function keyStateOf(state: Key_State): KeyState | undefined {
  if (state === Key_State.UNSPECIFIED) return undefined;
  const known = (Object.keys(STATES) as KeyState[]).find((name) => STATES[name] === state);
  if (known !== undefined) return known;
  throw invalidArgument([
    { field: "state", description: `must be one of ${Object.keys(STATES).join(", ")}` },
  ]);
}

export function createKeyInputOf(key: KeyMessage): CreateKeyInput {
  const { api, environment, owner, displayName, scopes, allowedCidrs, metadata } = key;
  return {
    api,
    environment,
    owner,
    displayName,
    scopes,
    allowedCidrs,
    rateLimits: rateLimitsOf(key.rateLimits, "key.rate_limits"),
    metadata,
    binding: bindingOf(key),
    expiration: expirationOf(key),
  };
}

/** Fields that can be changed, by their name in the proto; expire_time and ttl are one. */
const PATCHES = {
  owner: ({ owner }: KeyMessage) => ({ owner }),
  display_name: ({ displayName }: KeyMessage) => ({ displayName }),
  scopes: ({ scopes }: KeyMessage) => ({ scopes }),
  allowed_cidrs: ({ allowedCidrs }: KeyMessage) => ({ allowedCidrs }),
  rate_limits: ({ rateLimits }: KeyMessage) => ({ rateLimits: rateLimitsOf(rateLimits, "key.rate_limits") }),
  metadata: ({ metadata }: KeyMessage) => ({ metadata }),
  binding: (key: KeyMessage) => ({ binding: bindingOf(key) }),
  expire_time: (key: KeyMessage) => ({ expiration: expirationOf(key) ?? { at: null } }),
  ttl: (key: KeyMessage) => ({ expiration: expirationOf(key) ?? { at: null } }),
} satisfies Record<string, (key: KeyMessage) => KeyPatch>;

/** Throws INVALID_ARGUMENT for a mask that names what is no field or can't be changed. */
export function keyPatchOf(key: KeyMessage, mask: FieldMask | undefined): KeyPatch {
  const fields = maskedFields(KeySchema, key, mask, Object.keys(PATCHES) as (keyof typeof PATCHES)[]);
  return Object.assign({}, ...fields.map((field) => PATCHES[field](key)));
}

function bindingOf({ binding }: KeyMessage): CredentialBinding | null {
  if (binding === undefined) return null;
  return {
    apis: binding.apis.map((api) => api as ApiId),
    environment: binding.environment === "" ? null : (binding.environment as Environment),
  };
}

function expirationOf({ expiration }: KeyMessage): Expiration | undefined {
  switch (expiration.case) {
    case "expireTime":
      return { at: millisecondsOf(expiration.value, "key.expire_time") };
    case "ttl":
      return { ttl: durationMilliseconds(expiration.value, "key.ttl") };
    default:
      return undefined;
  }
}
