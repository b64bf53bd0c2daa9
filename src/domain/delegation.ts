import { type ApiId, BUILT_IN_API, type Environment } from "./api.ts";
import { type Cidr, cidrContains, parseCidr } from "./cidr.ts";
import type { Key } from "./key.ts";
import type { FieldViolation } from "./keywarden-error.ts";
import { quote } from "./quote.ts";
import { compileGrants, grantCovers, type Scope } from "./scope.ts";

/** The scope that changes keys, credentials among them. */
const KEYS_WRITE = "keys:write" as Scope;

/** What there is to hold of Keywarden's own API: the scopes that its calls require. */
export const BUILT_IN_SCOPES: readonly { readonly name: string; readonly description: string }[] = [
  { name: "apis:read", description: "Read APIs" },
  { name: "apis:write", description: "Create, change and delete APIs" },
  { name: "keys:read", description: "Read, list and explain keys" },
  {
    name: "keys:write",
    description: "Create, import, change, rotate and revoke keys, credentials among them",
  },
  { name: "audit:read", description: "Read and verify the audit" },
  { name: "usage:read", description: "Read usage and metrics" },
  { name: "verify:call", description: "Verify keys on the data plane" },
];

/** What a last administrator has to have left, in milliseconds: more than a day, to notice and to make another one. */
const TIME_TO_TAKE_OVER = 24 * 60 * 60 * 1000;

/**
 * May the holder of this credential act on keys of this API and environment (undefined: all of the API's)? Of credentials,
 * it may on some: see `isWithinBinding`.
 */
export function isBoundTo(
  { binding }: Pick<Key, "binding">,
  api: ApiId,
  environment: Environment | undefined,
): boolean {
  if (binding === null) return true;
  if (binding.apis.length > 0 && !binding.apis.includes(api)) return false;
  // Credentials have no environment of a product: what they are bound to in turn is another question.
  return binding.environment === null || api === BUILT_IN_API || binding.environment === environment;
}

/** May the holder of this credential act on this key? On another credential only if that is bound as closely. */
export function isWithinBinding(credential: Pick<Key, "binding">, key: Key): boolean {
  return (
    isBoundTo(credential, key.api, key.environment) &&
    (key.api !== BUILT_IN_API || bindingExcess(credential, key).length === 0)
  );
}

/** May the holder of this credential be told what concerns all keys of this API and environment together? */
export function overseesAllOf(
  credential: Pick<Key, "binding">,
  api: ApiId,
  environment: Environment | undefined,
): boolean {
  return isBoundTo(credential, api, environment) && (credential.binding === null || api !== BUILT_IN_API);
}

/** What this credential may do that the other one may not: its scopes, and where they count. Empty if there is nothing. */
export function powerExcessOf(own: Key, other: Key): readonly FieldViolation[] {
  return [
    ...other.scopes.flatMap((scope, index) =>
      own.scopes.some((held) => grantCovers(held, scope))
        ? []
        : excess(`key.scopes[${index}]`, `your own credential does not cover ${quote(scope)}`),
    ),
    ...bindingExcess(own, other),
  ];
}

/**
 * What this credential would have that its giver has not: scopes, APIs and environment, networks and time. Nobody gives
 * more than they hold. Empty if there is nothing.
 */
export function excessOf(giver: Key, given: Key): readonly FieldViolation[] {
  return [...powerExcessOf(giver, given), ...networkExcess(giver, given), ...timeExcess(giver, given)];
}

/** Can whoever holds this create credentials? `now`: milliseconds since the epoch, here and below. */
export function canAdminister(key: Key, now: number): boolean {
  return (
    key.api === BUILT_IN_API &&
    key.state === "ACTIVE" &&
    (key.expireTime === null || now < key.expireTime) &&
    isBoundTo(key, BUILT_IN_API, undefined) &&
    compileGrants(key.scopes).covers(KEYS_WRITE)
  );
}

/** Could its holder go on alone: from anywhere, for whatever product, for more than a day? */
function canTakeOver(key: Key, now: number): boolean {
  return (
    canAdminister(key, now) &&
    key.binding === null &&
    key.allowedCidrs.length === 0 &&
    (key.expireTime === null || key.expireTime > now + TIME_TO_TAKE_OVER)
  );
}

/** Could they also give whatever there is to hold? */
function canGiveEverything(key: Key, now: number): boolean {
  return canTakeOver(key, now) && key.scopes.some((held) => grantCovers(held, "*"));
}

/**
 * What a store never loses the last of: a credential that can create others, one whose holder could go on alone, and one
 * whose holder could then do everything.
 */
export const NEEDED_CREDENTIALS: readonly ((key: Key, now: number) => boolean)[] = [
  canAdminister,
  canTakeOver,
  canGiveEverything,
];

function excess(field: string, description: string): readonly FieldViolation[] {
  return [{ field, description }];
}

function bindingExcess(
  { binding: held }: Pick<Key, "binding">,
  { binding: given }: Pick<Key, "binding">,
): readonly FieldViolation[] {
  if (held === null) return [];
  const apis = given?.apis ?? [];
  const isWider = held.apis.length > 0 && (apis.length === 0 || apis.some((api) => !held.apis.includes(api)));
  const isElsewhere = held.environment !== null && given?.environment !== held.environment;
  return [
    ...(isWider ? excess("key.binding.apis", `your own credential is bound to ${held.apis.join(", ")}`) : []),
    ...(isElsewhere
      ? excess("key.binding.environment", `your own credential is bound to ${held.environment}`)
      : []),
  ];
}

function networkExcess(giver: Key, given: Key): readonly FieldViolation[] {
  if (giver.allowedCidrs.length === 0) return [];
  const held = networksOf(giver);
  const isWider =
    given.allowedCidrs.length === 0 ||
    networksOf(given).some((network) => !held.some((wider) => isWithin(network, wider)));
  const description = `your own credential may be used from ${giver.allowedCidrs.join(", ")} only`;
  return isWider ? excess("key.allowed_cidrs", description) : [];
}

function timeExcess(giver: Key, given: Key): readonly FieldViolation[] {
  if (giver.expireTime === null) return [];
  if (given.expireTime !== null && given.expireTime <= giver.expireTime) return [];
  const description = `your own credential expires at ${new Date(giver.expireTime).toISOString()}`;
  return excess("key.expire_time", description);
}

function networksOf({ allowedCidrs }: Key): readonly Cidr[] {
  return allowedCidrs.flatMap((text) => {
    const parsed = parseCidr(text);
    return "value" in parsed ? [parsed.value] : [];
  });
}

function isWithin(network: Cidr, wider: Cidr): boolean {
  return network.prefixLength >= wider.prefixLength && cidrContains(wider, network.network);
}
