import type { Actor } from "../domain/audit-chain.ts";
import type { CheckpointKeys } from "../domain/audit-checkpoint.ts";
import type { Pepper } from "../domain/digest.ts";
import type { Key, KeyId } from "../domain/key.ts";
import type { AdminReads, AuditReads, UsageReads, VerificationReads, Writes } from "../ports/store.ts";
import type { PageTokens } from "./page-tokens.ts";

/** On whose behalf a use case runs. */
export interface Caller {
  readonly actor: Actor;
  /** What bounds what the caller may do; null: nothing does, as Keywarden itself acts or its machine's operator. */
  readonly credential: Key | null;
  /** Of the call, for the audit and logs. */
  readonly requestId: string;
}

/** What the administration is made of. Time, randomness and the store come in from outside. */
export interface AdminParts {
  readonly caller: Caller;
  readonly store: AdminReads & AuditReads & UsageReads & Pick<VerificationReads, "findTokens"> & Writes;
  /** The current one: new tokens are digested with it. */
  readonly pepper: Pepper;
  /** Those that are still known: a token may be stored under one of them. */
  readonly formerPeppers: readonly Pepper[];
  readonly pageTokens: PageTokens;
  readonly checkpointKeys: CheckpointKeys;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly newKeyId: () => KeyId;
}
