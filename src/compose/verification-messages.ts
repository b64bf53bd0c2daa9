import type { Keyring } from "../domain/keyring.ts";
import type { KeywardenError } from "../domain/keywarden-error.ts";
import type { UsageBatch } from "../domain/usage.ts";
import type { RenewedDigest } from "../ports/store.ts";
import type { ServeSettings } from "../settings.ts";
import type { LedgerMemories } from "./ledgers.ts";
import type { LastGood } from "./transport-security.ts";

/** What a verification thread is started with. */
export interface VerificationOptions {
  /** From 1; a thread that takes another's place has its number too. For people. */
  readonly worker: number;
  /** What it locks shared memory with: no two threads of a process ever have the same. */
  readonly owner: number;
  /** How nice it is to be. */
  readonly niceness: number;
  readonly settings: ServeSettings;
  readonly lastGood: LastGood;
  readonly ledgers: LedgerMemories;
  /** Where it counts what it does, going on where the one has ended whose place it takes. */
  readonly counts: SharedArrayBuffer;
  /** The module of a `VerificationSeam`, for tests. */
  readonly seam: string | undefined;
}

/** A listener of the data plane, by the name of its setting. */
export type DataListener = "grpc" | "http";

/** What belongs to each listener that is on. */
export type ByListener<Value> = Readonly<Partial<Record<DataListener, Value>>>;

export interface DataPlace {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /**
   * alone: no other socket may have the port. first: the same, and then others of this process may join. joining: the
   * port is shared with those that have it.
   */
  readonly sharing: "alone" | "first" | "joining";
}

export interface TakenPlace {
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
}

export type ToVerification =
  | { readonly kind: "listen"; readonly places: ByListener<DataPlace> }
  /** The store is open: read it, and serve. */
  | { readonly kind: "serve"; readonly keyring: Keyring }
  /** Serve nobody new, give open calls so many milliseconds, and end. */
  | { readonly kind: "drain"; readonly graceMs: number };

/** What a thread has for others while it serves. */
type VerificationReport =
  /** Tokens that were met under a former pepper. */
  | { readonly kind: "former-digests"; readonly tokens: readonly RenewedDigest[] }
  /** What it has counted since the last time. */
  | { readonly kind: "usage"; readonly batch: UsageBatch };

export type OnReport = (report: VerificationReport) => void;

export type FromVerification =
  | VerificationReport
  /** The ports are taken; who connects waits. */
  | { readonly kind: "listening"; readonly taken: ByListener<TakenPlace> }
  | { readonly kind: "serving" }
  /** It can't listen or serve; the thread ends. */
  | { readonly kind: "refused"; readonly refusal: Pick<KeywardenError, "status" | "reason" | "message"> }
  /** Something is wrong with it that nobody caught; the thread ends. */
  | { readonly kind: "broken"; readonly problem: string };
