import type { Api, ApiId, Environment } from "../domain/api.ts";
import type { Actor, AuditAction, AuditEvent, ChainHead } from "../domain/audit-chain.ts";
import type { Digest, PepperId } from "../domain/digest.ts";
import type { Key, KeyId, KeyState } from "../domain/key.ts";
import type { Reason } from "../domain/reason.ts";
import type { Revision } from "../domain/revision.ts";
import type { TokenUse, UsageBatch, UsageSubject } from "../domain/usage.ts";

/**
 * The store, in the parts that its users need. Every method may reject with a KeywardenError UNAVAILABLE
 * ("STORE_UNAVAILABLE"): the store could not be asked. No answer is ever guessed: a caller that gets no answer denies.
 */
export interface Store
  extends Freshness,
    VerificationReads,
    AdminReads,
    AuditReads,
    UsageReads,
    Writes,
    UsageWrites {
  /** Finishes the writes that were begun, then closes. Later calls reject; closing again does nothing. */
  close(): Promise<void>;
}

/** How a cache learns that it has to drop something. */
export interface Freshness {
  /**
   * The version of what this reader would see now. If a change was acknowledged before this call began, the
   * answer differs from every answer given before that change was committed. Synchronous and cheap, as it is
   * asked once for every group of verifications; an engine that can't tell throws.
   */
  version(): number;

  /**
   * What changed after `revision`, at least up to every change acknowledged before the call began.
   * `complete: false` means that there is too much to list, or that this store has never had that revision (it was
   * restored from a backup): everything may have changed.
   */
  changesSince(revision: Revision): Promise<Changes>;
}

export interface Changes {
  /** The revision that these changes lead to. */
  readonly revision: Revision;
  readonly complete: boolean;
  readonly keyIds: readonly KeyId[];
  /** True if an API was created, changed or deleted. */
  readonly apis: boolean;
  /** True if a token was added: what was unknown may be known now. */
  readonly tokens: boolean;
}

/** What was read, and how new it is at least. */
export interface Snapshot<Value> {
  /** Every change up to this revision is in the value; later ones may be. */
  readonly revision: Revision;
  readonly value: Value;
}

/** A token that was found, with its key as of the same instant. */
export interface FoundToken {
  readonly digest: Digest;
  /** Compared with the key's generation: is it the current token, or the one before? */
  readonly generation: number;
  readonly key: Key;
}

/**
 * A record that is stored but can't be decoded, or that is not what was last written (an engine whose records others
 * could edit seals them), is left out and reported by the engine: it never grants anything. Where records and audit were
 * changed together, so that nobody can know what was written last, these reject with UNAVAILABLE.
 */
export interface VerificationReads {
  /** The tokens among these that exist, in any order; one question to the engine, however many there are. */
  findTokens(digests: readonly Digest[]): Promise<Snapshot<readonly FoundToken[]>>;
  /** All APIs. */
  allApis(): Promise<Snapshot<readonly Api[]>>;
}

/** What must hold for a key to be listed; undefined fields do not matter. */
export interface KeyFilter {
  readonly api?: ApiId | undefined;
  readonly environment?: Environment | undefined;
  readonly owner?: string | undefined;
  readonly state?: KeyState | undefined;
  /** Milliseconds since the epoch. */
  readonly expiringBefore?: number | undefined;
  /** One of these is granted, as it stands. */
  readonly grants?: readonly string[] | undefined;
  /** Of the display name, where ASCII's capital and small letters are the same, or of the hint. */
  readonly prefix?: string | undefined;
  /** Here (created or imported) before this time, and not allowed since, by what was written; milliseconds since the epoch. */
  readonly unusedSince?: number | undefined;
}

/**
 * Reads see every change acknowledged before they began. Ids and names compare by bytes (of UTF-8). A record that
 * can't be decoded is DATA_LOSS ("STORE_CORRUPT") for whoever asks for it, alone or in a list; one that is not what was
 * last written is DATA_LOSS ("SEAL_BROKEN").
 */
export interface AdminReads {
  getApi(id: ApiId): Promise<Api | undefined>;
  /** APIs with an id greater than `after` (empty: all), by id, at most `limit`. */
  listApis(after: string, limit: number): Promise<readonly Api[]>;
  getKey(id: KeyId): Promise<Key | undefined>;
  /** Keys with an id greater than `after` (empty: all), by id (and so by creation), at most `limit`. */
  listKeys(filter: KeyFilter, after: string, limit: number): Promise<readonly Key[]>;
  /** Has the API any key, trusted or not? */
  hasKeys(api: ApiId): Promise<boolean>;
  /** Every key of an API that has few, by id; those that can't be trusted are left out and reported. */
  trustedKeys(api: ApiId): Promise<readonly Key[]>;
  /** The served request of this id, if it was served within the last 24 hours. */
  getServedRequest(requestId: string): Promise<ServedRequest | undefined>;
}

/** What must hold for an event to be listed; undefined fields do not matter. Times are milliseconds since the epoch. */
export interface AuditFilter {
  readonly api?: ApiId | undefined;
  readonly recordId?: string | undefined;
  readonly actorKeyId?: KeyId | undefined;
  readonly action?: AuditAction | undefined;
  /** This and later. */
  readonly from?: number | undefined;
  /** Earlier than this. */
  readonly until?: number | undefined;
}

/** The events are what was written, or what somebody made of them: only a check of the chain tells. */
export interface AuditReads {
  /** Events before this revision, the newest first, at most `limit`. */
  listAuditEvents(filter: AuditFilter, before: Revision, limit: number): Promise<readonly AuditEvent[]>;
  /** Events after this revision in the order in which they are stored, at most `limit`. */
  auditChain(after: Revision, limit: number): Promise<readonly AuditEvent[]>;
  /** Where the chain ends by the store's own account. */
  auditHead(): Promise<AuditHead>;
  /** Looks at all records, bit by bit, as they are at one instant. */
  examineRecords(): Promise<RecordsExamination>;
}

/** What records are, compared with what was written last. */
export interface RecordsExamination {
  /** Where the audit ends at that instant; 0 if nobody can know. */
  readonly head: Revision;
  /** The greatest revision that any record has. */
  readonly newest: Revision;
  /** All APIs and keys are those that were written last: none is older, edited, added or missing. */
  readonly areCurrent: boolean;
  /** What is in the schema and not the engine's own, or the other way round: a trigger would act in the server's name. */
  readonly foreign: readonly string[];
}

export interface AuditHead extends ChainHead {
  /** False: the head is not what Keywarden wrote. */
  readonly isAuthentic: boolean;
  /** Somebody has changed records and audit together: what verifications read is refused (`Writes.trust`). */
  readonly isDistrusted: boolean;
}

/** What is stored of a token. It is never changed. */
export interface NewToken {
  readonly digest: Digest;
  readonly pepperId: PepperId;
  readonly generation: number;
}

/** A create or rotate that must not be done twice. */
export interface ServedRequest {
  readonly requestId: string;
  /** Of everything the request asked for: the same id with another fingerprint is a mistake. */
  readonly fingerprint: string;
  readonly keyId: KeyId;
  readonly time: number;
}

/**
 * One change of a record. What it was based on (`expected`) is checked in the transaction that makes it. The `id` and
 * `createTime` of a record, and the `api` and `environment` of a key, are what they were when it was created.
 */
export type Change =
  | { readonly kind: "create-api"; readonly api: Api }
  | {
      readonly kind: "update-api";
      readonly api: Api;
      readonly expected: Revision;
      /** Refused with HAS_KEYS while one of these has keys. */
      readonly removedEnvironments: readonly Environment[];
    }
  | { readonly kind: "delete-api"; readonly id: ApiId; readonly expected: Revision }
  | {
      readonly kind: "create-key";
      readonly key: Key;
      readonly token: NewToken;
      /** The revision of the key's API that the key was made for. */
      readonly expectedApi: Revision;
      readonly served?: ServedRequest | undefined;
    }
  | {
      readonly kind: "update-key";
      readonly key: Key;
      readonly expected: Revision;
      /** With a rotation. */
      readonly token?: NewToken | undefined;
      readonly served?: ServedRequest | undefined;
    }
  | ImportKeys;

/** Keys that were issued elsewhere, each with its one token: one revision and one event of the audit for all. */
export interface ImportKeys {
  readonly kind: "import-keys";
  /** A UUIDv7: what the audit knows the import by. No key and no API has it. */
  readonly importId: string;
  /** Of each key. */
  readonly api: ApiId;
  /** At least one. */
  readonly keys: readonly { readonly key: Key; readonly token: NewToken }[];
  /** The revision of the API that the keys were made for. */
  readonly expectedApi: Revision;
}

/**
 * Why a change was not made; nothing of it is stored, and it takes no revision. Where several are true, the first is
 * given. The rules are written down in `conflict.ts`, for engines that can ask them synchronously.
 * EXISTS: an id, token prefix or digest is taken, or a request of this id was served within the 24 hours before.
 * CHANGED: the record (of a new key: its API) is not of the expected revision, or gone.
 * HAS_KEYS: the API or environment has keys.
 * LAST_CREDENTIAL: it is the last of a kind that is needed (`NEEDED_CREDENTIALS`), and would be no more.
 */
export type Conflict = "EXISTS" | "CHANGED" | "HAS_KEYS" | "LAST_CREDENTIAL";

export type CommitResult =
  | { readonly ok: true; readonly revision: Revision }
  | { readonly ok: false; readonly conflict: Conflict };

/** What the audit keeps of a change beside the change itself. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly actor: Actor;
  /** Empty: none. */
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The record as it was; null: it was not there. */
  readonly before: Key | Api | null;
}

/** A token's digest under the current pepper, for the one under a former pepper. */
export interface RenewedDigest {
  readonly from: Digest;
  readonly to: Digest;
  /** The current one. */
  readonly pepperId: PepperId;
}

export interface Writes {
  /**
   * Stores tokens under the current pepper in place of a former one; those that are not stored under it are left out.
   * Resolves with how many were. Nobody's answer changes by it, so it is no change: it has no revision. Rejects as
   * `commit` does.
   */
  redigest(tokens: readonly RenewedDigest[]): Promise<number>;

  /**
   * Says whether what is stored is to be trusted, also by those who open it later. Without trust, what verifications read
   * and the change log reject with UNAVAILABLE. No change: it has no revision. Rejects as `commit` does.
   */
  trust(isTrusted: boolean): Promise<void>;

  /**
   * Makes one change and its audit event, whole or not at all. When it resolves with `ok`, the change is on disk, has the next
   * revision (the record's own `revision` is set to it, whatever the given record said), and is seen by every
   * `version()`, `changesSince` and read that begins afterwards, in every process.
   * A rejection with STORE_UNAVAILABLE means that the change was not made, unless its message says that this is
   * not known.
   */
  commit(change: Change, entry: AuditEntry): Promise<CommitResult>;
}

/** How often verifications ended with one reason in one bucket of time. */
export interface UsageSum {
  /** The bucket's first hour. */
  readonly start: number;
  readonly reason: Reason;
  readonly count: number;
}

/** What was counted and written. Nobody's answer depends on it: it is neither sealed nor audited. */
export interface UsageReads {
  /**
   * What was counted for a subject from one hour on until before another, by buckets of `width` hours that begin at its
   * multiples. By time; buckets and reasons that have nothing are left out.
   */
  usage(subject: UsageSubject, from: number, until: number, width: number): Promise<readonly UsageSum[]>;
  /**
   * The last use of each token of these keys, in any order; one question to the engine. Of a key's tokens, those older
   * than the one before the last that was used may be missing.
   */
  lastUses(keyIds: readonly KeyId[]): Promise<readonly TokenUse[]>;
}

/** What becomes of counts as they get old; hours since the epoch, multiples of 24. */
export interface UsageAges {
  /** Counts of hours before this one are deleted. */
  readonly goneBefore: number;
  /** Those of hours before this one are added to the first hour of their day (UTC). */
  readonly daysBefore: number;
}

/** Writes that are no changes: they have no revision and no audit event, and drop nothing from a cache. */
export interface UsageWrites {
  /**
   * Adds counts, for each key and all that it belongs to (`totalsOf`), and notes last uses that are newer than those
   * noted: all or nothing. A rejection with STORE_UNAVAILABLE means that nothing was written.
   */
  recordUsage(batch: UsageBatch): Promise<void>;
  /** Tidies up at most `limit` rows; resolves with how many, so that fewer mean the end. Last uses stay. */
  tidyUsage(ages: UsageAges, limit: number): Promise<number>;
}
