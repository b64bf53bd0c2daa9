import type { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Change } from "../../ports/store.ts";
import type { Outcome } from "./group-commit.ts";

/** What the writer's thread is started with. */
export interface WriterOptions {
  readonly path: string;
  /** How many of the last changes stay in the log. */
  readonly changesKept: number;
}

/** A change, and the number by which its outcome will be told. */
export interface NumberedChange {
  readonly id: number;
  readonly change: Change;
}

export type ToWriter =
  | { readonly kind: "commit"; readonly changes: readonly NumberedChange[] }
  /** Finish what came before, and end. */
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "ready" }
  /** The database can't be opened; the thread ends. */
  | { readonly kind: "refused"; readonly refusal: Pick<KeywardenError, "status" | "reason" | "message"> }
  /** After the commit: the outcome of each change, in the order of their ids. */
  | { readonly kind: "outcomes"; readonly ids: readonly number[]; readonly outcomes: readonly Outcome[] };
