import type { KeywardenError } from "../../domain/keywarden-error.ts";
import type { SealKey } from "../../domain/seal.ts";
import type { UsageBatch } from "../../domain/usage.ts";
import type { RenewedDigest, UsageAges } from "../../ports/store.ts";
import type { AuditedChange, Outcome } from "./group-commit.ts";
import type { SchemaObject } from "./schema-objects.ts";
import type { SealingProgress } from "./secret-rotation.ts";

/** What the writer's thread is started with. */
export interface WriterOptions {
  readonly path: string;
  /** The current one first. */
  readonly sealKeys: readonly [SealKey, ...SealKey[]];
  /** What the database's schema has to be. */
  readonly schema: readonly SchemaObject[];
}

/** A change, and the number by which its outcome will be told. */
export interface NumberedChange extends AuditedChange {
  readonly id: number;
}

/** Something to write that is no change: it has no revision and is not audited. */
export type SideWrite =
  | { readonly kind: "redigest"; readonly tokens: readonly RenewedDigest[] }
  | { readonly kind: "record-usage"; readonly batch: UsageBatch }
  | { readonly kind: "tidy-usage"; readonly ages: UsageAges; readonly limit: number }
  | { readonly kind: "trust"; readonly isTrusted: boolean };

export type ToWriter =
  | { readonly kind: "commit"; readonly changes: readonly NumberedChange[] }
  | { readonly kind: "aside"; readonly id: number; readonly write: SideWrite }
  /** Finish what came before, and end. */
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "ready" }
  /** The database can't be opened; the thread ends. */
  | { readonly kind: "refused"; readonly refusal: Pick<KeywardenError, "status" | "reason" | "message"> }
  /** After the commit: the outcome of each change, in the order of their ids. */
  | { readonly kind: "outcomes"; readonly ids: readonly number[]; readonly outcomes: readonly Outcome[] }
  /** What became of a side write: how many rows it wrote, or why none. */
  | { readonly kind: "aside"; readonly id: number; readonly outcome: SideOutcome }
  /** It met something stored that can't be trusted. */
  | { readonly kind: "refused-row"; readonly refusal: Pick<KeywardenError, "status" | "reason" | "message"> }
  /** Somebody else has written to the database. */
  | { readonly kind: "foreign-write" }
  /** How far sealing everything with the current key has come; undefined: it is done. */
  | { readonly kind: "sealing"; readonly progress: SealingProgress | undefined };

export type SideOutcome = { readonly count: number } | { readonly problem: string };
