import type { ApiId, Environment } from "./api.ts";
import type { Brand } from "./brand.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Revision } from "./revision.ts";

/** A UUIDv7 in lower-case text. */
export type KeyId = Brand<string, "KeyId">;

/** Revocation is final; disabling is not. */
export type KeyState = "ACTIVE" | "DISABLED" | "REVOKED";

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
  readonly state: KeyState;
  /** null: never. */
  readonly expireTime: number | null;
  /** Of the current token, from 1. */
  readonly generation: number;
  /** The current token's readable part. */
  readonly hint: string;
  /** The token that the last rotation replaced. */
  readonly previousToken: { readonly hint: string; readonly expireTime: number } | null;
  readonly createTime: number;
  readonly updateTime: number;
  readonly revokeTime: number | null;
  /** Of its last change. */
  readonly revision: Revision;
}
