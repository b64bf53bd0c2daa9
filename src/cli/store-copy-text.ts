import { KeywardenError } from "../domain/keywarden-error.ts";
import type { StoreContent, StoreCopy } from "../domain/store-care.ts";
import { Failure } from "./failure.ts";
import { counted, megabytes } from "./size-text.ts";
import type { Fact } from "./table.ts";

export function contentText({ apis, keys, tokens, auditEvents }: StoreContent): string {
  return [
    counted(apis, "API"),
    counted(keys, "key"),
    counted(tokens, "token"),
    counted(auditEvents, "audit event"),
  ].join(", ");
}

/** What a copy holds, and how that is known. */
export function copyFacts({
  bytes,
  revision,
  content,
  seals,
  durationMs,
  secrets,
}: StoreCopy): readonly Fact[] {
  return [
    ["Size", megabytes(bytes)],
    ["Revision", String(revision)],
    ["Holds", contentText(content)],
    ["Verified", `the file, the schema, ${counted(seals, "seal")}, the audit to event ${revision}`],
    ["Took", `${(durationMs / 1_000).toFixed(1)} s`],
    ["Needs", secrets.map(({ kind, id, source }) => `${kind} ${id} from ${source}`)],
  ];
}

/** What is wrong with a store itself ends a command otherwise than what is wrong with the command. */
export async function orUnsound<Result>(work: Promise<Result>, next: string): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof KeywardenError)) throw error;
    if (error.status === "DATA_LOSS") throw new Failure("denied", error.message, [next], error);
    throw error.status === "FAILED_PRECONDITION" ? error : new Failure("failed", error.message, [], error);
  }
}
