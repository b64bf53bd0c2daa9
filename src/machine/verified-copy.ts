import { openInspection } from "../adapters/sqlite/inspection.ts";
import { type Finding, hasErrors } from "../domain/finding.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { SealKey } from "../domain/seal.ts";
import type { OnProgress, StoreCopy } from "../domain/store-care.ts";
import { sealedFindings, structureFindings } from "./store-findings.ts";

/** Problems that the refusal names. */
const MOST_NAMED = 5;

/**
 * What a copy of a store holds, if everything in it is sound: the file, the schema, each seal and the audit to its end.
 * Rejects with DATA_LOSS (COPY_UNSOUND), or as `openInspection` throws.
 */
export async function verifiedCopy(
  path: string,
  sealKeys: readonly SealKey[],
  onProgress: OnProgress,
): Promise<Pick<StoreCopy, "bytes" | "revision" | "content" | "seals">> {
  const inspection = openInspection(path);
  try {
    const content = inspection.content();
    onProgress({ step: "checking the file", done: 0, total: 1, unit: "records" });
    const structure = structureFindings(inspection, true);
    // Of records in a file that is no database any more, nothing sensible can be said.
    if (hasErrors(structure)) throw unsound(structure);
    const { findings, seals, revision } = await sealedFindings(inspection, sealKeys, onProgress);
    if (hasErrors(findings)) throw unsound(findings);
    return { bytes: inspection.bytes, revision, content, seals };
  } finally {
    inspection.close();
  }
}

function unsound(findings: readonly Finding[]): KeywardenError {
  const named = findings.slice(0, MOST_NAMED).map(({ code, what }) => `${code}: ${what}`);
  const more = findings.length > MOST_NAMED ? `; and ${findings.length - MOST_NAMED} more` : "";
  return new KeywardenError({
    status: "DATA_LOSS",
    reason: "COPY_UNSOUND",
    message: `the copy is not sound, and was not kept: ${named.join("; ")}${more}`,
  });
}
