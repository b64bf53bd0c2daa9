import type { Decision } from "../domain/decision.ts";
import type { CredentialBinding } from "../domain/key.ts";
import type { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";

/** A client's request, as a proxy has received it. */
export interface ProxiedRequest {
  /** As it was sent: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
}

/** What a backend asks. Empty strings stand for what it does not say. */
export interface VerifyRequest {
  /**
   * The rule of the API that this request is for says what it needs and costs: `requiredScope` and `cost` then count for
   * nothing. Fails with PERMISSION_DENIED (NO_ROUTE) where there is none, INVALID_ARGUMENT (UNSAFE_PATH, API_REQUIRED).
   */
  readonly route?: ProxiedRequest | undefined;
  readonly token: string;
  readonly requiredScope: string;
  readonly clientIp: string;
  readonly environment: string;
  readonly api: string;
  /** Units, 0 to 1,000,000. */
  readonly cost: number;
  readonly dryRun: boolean;
}

/** Whoever asks, as a credential or a client certificate tells. */
export interface VerifyingCaller {
  /** The same for the same caller, and for no other: a key's id, or a certificate's names. */
  readonly id: string;
  /** null: to nothing. */
  readonly binding: CredentialBinding | null;
}

/** A decision, and how to say it. */
export interface Verdict {
  readonly decision: Decision;
  /** The decision is at least as new as this revision of the store. */
  readonly revision: Revision;
  /** The reason in words that give a guesser nothing: for the end client. */
  readonly message: string;
  /** The value of the WWW-Authenticate header; empty where none belongs. */
  readonly wwwAuthenticate: string;
}

/** One question on its way: whoever carries it hands it in and is called back once, at once or later. */
export interface Verification {
  readonly request: VerifyRequest;
  /** The address of whoever asks; empty if it can't be told. */
  readonly peer: string;
  /** null or absent: nothing tells who asks but the address. */
  readonly caller?: VerifyingCaller | null;
  /** Nobody waits for the answer any more. */
  isOver(): boolean;
  decided(verdict: Verdict): void;
  /** It could not be decided: to be treated as a denial. */
  failed(error: KeywardenError): void;
}
