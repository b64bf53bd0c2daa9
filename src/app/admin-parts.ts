import type { Pepper } from "../domain/digest.ts";
import type { KeyId } from "../domain/key.ts";
import type { AdminReads, Writes } from "../ports/store.ts";
import type { PageTokens } from "./page-tokens.ts";

/** What the administration is made of. Time, randomness and the store come in from outside. */
export interface AdminParts {
  readonly store: AdminReads & Writes;
  /** The current one: new tokens are digested with it. */
  readonly pepper: Pepper;
  readonly pageTokens: PageTokens;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly newKeyId: () => KeyId;
}
