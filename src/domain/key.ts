import type { ApiId, Environment } from "./api.ts";
import type { Brand } from "./brand.ts";
import { type Cidr, parseCidr } from "./cidr.ts";
import { KeywardenError } from "./keywarden-error.ts";
import { MAX_QUOTA, MAX_WINDOW, MIN_WINDOW, type RateLimit } from "./rate-limit.ts";
import type { Revision } from "./revision.ts";
import { compileGrants, type Grants } from "./scope.ts";
import { createTally, type Tally } from "./usage-tally.ts";

/** A UUIDv7 in lower-case text. */
export type KeyId = Brand<string, "KeyId">;

/** Revocation is final; disabling is not. */
export type KeyState = "ACTIVE" | "DISABLED" | "REVOKED";

/** What one of Keywarden's own credentials is bound to, whether it administers or verifies. */
export interface CredentialBinding {
  /** Empty: any. */
  readonly apis: readonly ApiId[];
  /** null: any. */
  readonly environment: Environment | null;
}

/**
 * The manageable thing behind a token: what a store keeps of a key. Times are milliseconds since the epoch.
 *
 * A key has one current token, that of its `generation`; after a rotation the token of the generation before
 * is accepted until `previousToken.expireTime`. Tokens themselves never change once they are stored.
 */
export interface Key {
  readonly id: KeyId;
  readonly api: ApiId;
  readonly environment: Environment;
  readonly owner: string;
  readonly displayName: string;
  /** Grants, canonical. */
  readonly scopes: readonly string[];
  /** Canonical, as `formatCidr` prints them. */
  readonly allowedCidrs: readonly string[];
  readonly rateLimits: readonly RateLimit[];
  readonly metadata: Readonly<Record<string, string>>;
  /** null: not bound. Keys of products never are. */
  readonly binding: CredentialBinding | null;
  readonly state: KeyState;
  /** null: never. */
  readonly expireTime: number | null;
  /** Of the current token, from 1. */
  readonly generation: number;
  /** The current token's readable part. */
  readonly hint: string;
  /** The token that the last rotation replaced, if it gave it a grace. */
  readonly previousToken: { readonly hint: string; readonly expireTime: number } | null;
  readonly createTime: number;
  readonly updateTime: number;
  readonly revokeTime: number | null;
  /** Of its last change. */
  readonly revision: Revision;
}

/**
 * What the ids of keys that came to Keywarden at this time or later are not less than (RFC 9562 §5.7: a UUIDv7 begins with
 * 48 bits of milliseconds since the epoch).
 */
export function firstIdOf(time: number): string {
  const digits = Math.max(0, time).toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/** A key by its id, and where it belongs, which never changes. */
export type KeyName = Pick<Key, "id" | "api" | "environment">;

/** A token's key, read and compiled once, so that deciding costs little. */
export interface KeyRecord {
  readonly key: Key;
  /** When this token stops being accepted: Infinity for the current one, -Infinity for one that never is. */
  readonly tokenEnd: number;
  readonly grants: Grants;
  /** Empty: anywhere. */
  readonly networks: readonly Cidr[];
  /** What was counted of its use. No part of any decision. */
  readonly tally: Tally<KeyName>;
}

/**
 * The record of the key's token of this generation. Throws RangeError if anything in the key can't be read: such a
 * key must never be decided on, as what is unreadable could have been a restriction.
 */
export function compileKey(key: Key, generation: number): KeyRecord {
  refuseUnless(["ACTIVE", "DISABLED", "REVOKED"].includes(key.state), key, "state");
  refuseUnless(key.expireTime === null || Number.isSafeInteger(key.expireTime), key, "expire time");
  refuseUnless(Number.isSafeInteger(key.generation) && key.generation >= 1, key, "generation");
  refuseUnless(key.rateLimits.every(isRateLimit), key, "rate limits");
  return {
    key,
    tokenEnd: tokenEndOf(key, generation),
    grants: compiledOnce(grantsOf, key.scopes, compileGrants),
    networks: compiledOnce(networksOf, key.allowedCidrs, (cidrs) => cidrs.map(readCidr)),
    tally: createTally({ id: key.id, api: key.api, environment: key.environment }, generation),
  };
}

/** What lists were compiled to: keys that share a list share this too. */
const grantsOf = new WeakMap<readonly string[], Grants>();
const networksOf = new WeakMap<readonly string[], readonly Cidr[]>();

function compiledOnce<Compiled>(
  known: WeakMap<readonly string[], Compiled>,
  list: readonly string[],
  compile: (list: readonly string[]) => Compiled,
): Compiled {
  const before = known.get(list);
  if (before !== undefined) return before;
  const compiled = compile(list);
  known.set(list, compiled);
  return compiled;
}

/** Final. Revoking a revoked key gives the same key. `now`: milliseconds since the epoch, here and below. */
export function revoke(key: Key, now: number): Key {
  if (key.state === "REVOKED") return key;
  return { ...key, state: "REVOKED", revokeTime: now, updateTime: now };
}

/** Gives the same key if it is disabled. Throws FAILED_PRECONDITION KEY_REVOKED. */
export function disable(key: Key, now: number): Key {
  return changeState(key, "DISABLED", now);
}

/** Gives the same key if it is active. Throws FAILED_PRECONDITION KEY_REVOKED. */
export function enable(key: Key, now: number): Key {
  return changeState(key, "ACTIVE", now);
}

export interface Rotation {
  /** The new token's readable part. */
  readonly hint: string;
  /** Until when the old token is accepted. */
  readonly graceEnd: number;
  readonly now: number;
}

/** The key with a new current token. Throws FAILED_PRECONDITION KEY_REVOKED or KEY_EXPIRED. */
export function rotate(key: Key, { hint, graceEnd, now }: Rotation): Key {
  refuseRevoked(key);
  if (key.expireTime !== null && now >= key.expireTime) {
    throw failedPrecondition("KEY_EXPIRED", `key ${key.id} has expired: extend it before you rotate it`);
  }
  return {
    ...key,
    generation: key.generation + 1,
    hint,
    // Without a grace the old token ends by being forgotten: no clock that goes back can bring it back.
    previousToken: graceEnd > now ? { hint: key.hint, expireTime: graceEnd } : null,
    updateTime: now,
  };
}

/** The key without its previous token. Gives the same key if there is none. Throws FAILED_PRECONDITION KEY_REVOKED. */
export function endGrace(key: Key, now: number): Key {
  refuseRevoked(key);
  return key.previousToken === null ? key : { ...key, previousToken: null, updateTime: now };
}

function changeState(key: Key, state: "ACTIVE" | "DISABLED", now: number): Key {
  refuseRevoked(key);
  return key.state === state ? key : { ...key, state, updateTime: now };
}

/** Throws FAILED_PRECONDITION KEY_REVOKED if the key is: a revoked key is changed no more. */
export function refuseRevoked(key: Key): void {
  if (key.state !== "REVOKED") return;
  throw failedPrecondition("KEY_REVOKED", `key ${key.id} is revoked, which is final: create a new key`);
}

function failedPrecondition(reason: string, message: string): KeywardenError {
  return new KeywardenError({ status: "FAILED_PRECONDITION", reason, message });
}

function tokenEndOf({ generation: current, previousToken }: Key, generation: number): number {
  if (generation === current) return Infinity;
  return generation === current - 1 && previousToken !== null ? previousToken.expireTime : -Infinity;
}

function isRateLimit({ quota, window }: RateLimit): boolean {
  return (
    Number.isSafeInteger(quota) &&
    quota >= 1 &&
    quota <= MAX_QUOTA &&
    Number.isSafeInteger(window) &&
    window >= MIN_WINDOW &&
    window <= MAX_WINDOW
  );
}

function readCidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if ("problem" in parsed) throw new RangeError(parsed.problem);
  return parsed.value;
}

function refuseUnless(isReadable: boolean, key: Key, what: string): void {
  if (!isReadable) throw new RangeError(`the stored ${what} of key ${key.id} can't be read`);
}
