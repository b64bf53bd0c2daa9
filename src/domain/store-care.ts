import type { Finding } from "./finding.ts";
import type { KnownSecret, SecretUse } from "./keyring.ts";

/** How far a long step has come. */
interface Progress {
  /** What is being done, such as `copying`. */
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly unit: "bytes" | "records";
}

export type OnProgress = (progress: Progress) => void;

/** How much a store holds. */
export interface StoreContent {
  readonly apis: number;
  readonly keys: number;
  readonly tokens: number;
  readonly auditEvents: number;
}

/** What was backed up, or restored. */
export interface StoreCopy {
  readonly file: string;
  readonly bytes: number;
  /** Of its last change. */
  readonly revision: number;
  readonly content: StoreContent;
  /** Seals that were checked. */
  readonly seals: number;
  readonly durationMs: number;
  /** What it is worth nothing without, and does not contain. */
  readonly secrets: readonly (KnownSecret & { readonly source: string })[];
}

/** What was done to a key since a backup, and a restore has undone. */
export interface UndoneChange {
  readonly keyId: string;
  readonly what: "revoked" | "disabled" | "rotated" | "grace ended" | "changed";
  /** Of the last of these changes, in milliseconds since the epoch. */
  readonly time: number;
}

/** What is in the replaced store and not in the restored one. */
export interface LostChanges {
  /** Where the replaced store's audit ended: its last event, and its hash. */
  readonly revision: number;
  readonly hash: string;
  /** Has the replaced store ever been what was restored? If not, nobody can tell what is lost. */
  readonly sameHistory: boolean;
  /** Changes since. */
  readonly changes: number;
  /** Keys of the restored store that may do more now than they could. */
  readonly undone: readonly UndoneChange[];
}

export interface Restoration extends StoreCopy {
  /** Where the replaced store is now; null: there was none. */
  readonly replaced: string | null;
  /** null: there was no store, or it could not be read. */
  readonly lost: LostChanges | null;
  /** Why it could not be read; empty if it could. */
  readonly unreadable: string;
}

/** unknown: it is not at hand, and records need it. unchecked: nobody could say what is at hand. */
export interface SecretState extends SecretUse {
  readonly state: "current" | "former" | "unknown" | "unchecked";
}

/** What a look at an installation has found. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** null: there is no store, or it can't be read. */
  readonly store: {
    readonly file: string;
    readonly bytes: number;
    readonly logBytes: number;
    readonly revision: number;
    readonly content: StoreContent;
  } | null;
  readonly secrets: readonly SecretState[];
  readonly versions: { readonly node: string; readonly sqlite: string };
}

/** A new administrator, in place of one whose token is lost. */
export interface AdminReset {
  readonly keyId: string;
  readonly tokenFile: string;
  /** The other credentials that can create credentials. */
  readonly others: readonly {
    readonly keyId: string;
    readonly displayName: string;
    readonly hint: string;
    readonly createTime: number;
  }[];
}
