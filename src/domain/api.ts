import type { Brand } from "./brand.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Revision } from "./revision.ts";
import type { ImportedTokenShape } from "./token.ts";

/** An API's slug, such as `c2p`. */
export type ApiId = Brand<string, "ApiId">;

/** A part of an API's world that shares no keys with the others, such as `test` and `live`. */
export type Environment = Brand<string, "Environment">;

/** A scope of an API's catalogue, with what it gives in words. */
export interface ScopeDefinition {
  readonly name: string;
  readonly description: string;
}

/** Requests, by method and path pattern, that need a scope. */
export interface RouteRule {
  /** In capitals; empty means all. */
  readonly methods: readonly string[];
  readonly path: string;
  /** A scope expression; empty means any valid key. */
  readonly requiredScope: string;
  readonly cost: number;
  /** Empty means the caller's. */
  readonly environment: string;
}

/** A product whose keys are managed. Times are milliseconds since the epoch. */
export interface Api {
  readonly id: ApiId;
  readonly displayName: string;
  readonly tokenPrefix: string;
  readonly environments: readonly Environment[];
  readonly scopes: readonly ScopeDefinition[];
  readonly routeRules: readonly RouteRule[];
  readonly keyDefaults: {
    /** Milliseconds; null means that a key does not expire. */
    readonly ttl: number | null;
    readonly rateLimits: readonly RateLimit[];
  };
  readonly importedTokenShapes: readonly ImportedTokenShape[];
  readonly createTime: number;
  readonly updateTime: number;
  /** Of its last change. */
  readonly revision: Revision;
}

/** The API whose keys are Keywarden's own credentials: admins' and callers'. */
export const BUILT_IN_API = "keywarden" as ApiId;

/** What its tokens start with. */
export const BUILT_IN_TOKEN_PREFIX = "kw";
