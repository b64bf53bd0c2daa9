import type { ApiId, Environment } from "./api.ts";
import type { Decision } from "./decision.ts";
import type { KeyId, KeyName, KeyRecord } from "./key.ts";
import { REASONS, REASONS_WITHOUT_KEY, type Reason } from "./reason.ts";

/** Milliseconds. */
export const HOUR = 3_600_000;
/** Hours. */
export const DAY = 24;

/** In the order of the checks. */
export const COUNTED_REASONS: readonly Reason[] = Object.keys(REASONS).filter(isReason);

/** Whom a verification is counted for; null: no key that is known. */
export type CountedKey = KeyName | null;

/** How often verifications for a key ended with one reason in one hour. */
export interface UsageCount {
  readonly key: CountedKey;
  /** Since the epoch, as all hours here. */
  readonly hour: number;
  readonly reason: Reason;
  readonly count: number;
}

/** When and from where a token was last allowed. */
export interface TokenUse {
  readonly keyId: KeyId;
  /** Which of the key's tokens. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Canonical; empty: it had none that could be read. */
  readonly clientIp: string;
}

/** What was counted, on its way to the store. */
export interface UsageBatch {
  readonly counts: readonly UsageCount[];
  readonly lastUses: readonly TokenUse[];
}

/** Whose usage is asked for. */
export type UsageSubject =
  | { readonly kind: "all" }
  | { readonly kind: "key"; readonly keyId: KeyId }
  | {
      readonly kind: "api";
      readonly api: ApiId;
      /** undefined: all of the API's. */
      readonly environment: Environment | undefined;
    };

/** The subjects that what is counted for a key counts for beside the key. */
export function totalsOf(key: CountedKey): readonly UsageSubject[] {
  const all: UsageSubject = { kind: "all" };
  if (key === null) return [all];
  const { api, environment } = key;
  return [all, { kind: "api", api, environment: undefined }, { kind: "api", api, environment }];
}

/**
 * The record of the key that a decision counts for; undefined: it counts for none, as where no key was looked at, since
 * whether one was found then depends on what is in a cache.
 */
export function countedRecord({ allowed, record, reason }: Decision): KeyRecord | undefined {
  return allowed || !REASONS_WITHOUT_KEY.has(reason) ? record : undefined;
}

export function hourOf(time: number): number {
  return Math.floor(time / HOUR);
}

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
