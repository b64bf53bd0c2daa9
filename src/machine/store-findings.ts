import type { Inspection } from "../adapters/sqlite/inspection.ts";
import type { Sample } from "../adapters/sqlite/inspection-records.ts";
import { verifyAudit } from "../app/audit.ts";
import type { ChainProblem } from "../domain/audit-chain.ts";
import { CheckpointKeys } from "../domain/audit-checkpoint.ts";
import type { Finding } from "../domain/finding.ts";
import type { Revision } from "../domain/revision.ts";
import type { SealKey } from "../domain/seal.ts";
import type { OnProgress } from "../domain/store-care.ts";

const RESTORE = "Find out who can write the database file, and restore it from a backup: keywarden restore";
/** Of the audit's problems, so many are told. */
const MOST_PROBLEMS = 20;

/** Is the file what it should be? What is wrong is the same for a store and for a backup. */
export function structureFindings(inspection: Inspection, thorough: boolean): readonly Finding[] {
  const problems = inspection.structureProblems(thorough);
  const references = [...inspection.brokenReferences()].map(([table, count]) => `${count} in ${table}`);
  const foreign = inspection.foreignObjects();
  return [
    ...problems.map((problem) => error("STORE_CORRUPT", `SQLite says of the file: ${problem}`, RESTORE)),
    ...(references.length > 0
      ? [
          error(
            "BROKEN_REFERENCES",
            `rows refer to others that are not there: ${references.join(", ")}`,
            RESTORE,
          ),
        ]
      : []),
    ...(foreign.length > 0
      ? [
          error(
            "SCHEMA_ALTERED",
            `the schema is not the one that Keywarden made: ${foreign.join(", ")}`,
            "Find out who can write the database file, and undo it with an SQLite shell, or restore a backup",
          ),
        ]
      : []),
  ];
}

interface SealedFindings {
  readonly findings: readonly Finding[];
  readonly seals: number;
  /** Where the audit ends. */
  readonly revision: Revision;
}

/** Is every record what Keywarden wrote last, and the audit whole? */
export async function sealedFindings(
  inspection: Inspection,
  sealKeys: readonly SealKey[],
  onProgress: OnProgress,
): Promise<SealedFindings> {
  const { seals, broken, stale, unreadable } = await inspection.recordProblems(sealKeys, onProgress);
  const { records, tokens } = inspection.missingRecords();
  const { problems, revision } = await auditProblems(inspection, sealKeys, onProgress);
  const findings = [
    ...found(broken, "SEAL_BROKEN", "not what Keywarden wrote, and grant nothing"),
    ...found(stale, "RECORD_STALE", "older than the audit's last event of them, and grant nothing"),
    ...found(unreadable, "RECORD_UNREADABLE", "not readable, and grant nothing"),
    ...found(records, "RECORD_MISSING", "in the audit, and not there"),
    ...found(tokens, "TOKEN_MISSING", "without the token that they should have"),
    ...problems
      // What differs of the schema is a finding already.
      .filter(({ kind }) => kind !== "SCHEMA")
      .slice(0, MOST_PROBLEMS)
      .map(({ kind, message }) =>
        error(
          `AUDIT_${kind}`,
          message,
          "Compare it with the last checkpoint that you kept, and with a backup",
        ),
      ),
  ];
  return { findings, seals, revision };
}

function found({ count, shown }: Sample, code: string, what: string): readonly Finding[] {
  if (count === 0) return [];
  const more = count > shown.length ? `, and ${count - shown.length} more` : "";
  return [error(code, `${count} are ${what}: ${shown.join(", ")}${more}`, RESTORE)];
}

async function auditProblems(
  inspection: Inspection,
  sealKeys: readonly SealKey[],
  onProgress: OnProgress,
): Promise<{ readonly problems: readonly ChainProblem[]; readonly revision: Revision }> {
  const parts = {
    store: inspection.audit(sealKeys),
    checkpointKeys: new CheckpointKeys(sealKeys),
    caller: { actor: { kind: "MACHINE", keyId: null, ip: "" }, credential: null, requestId: "" },
  } as const;
  const problems: ChainProblem[] = [];
  let done = 0;
  for (let from: Revision | undefined = 1 as Revision; ; ) {
    const part = await verifyAudit(parts, from, undefined);
    problems.push(...part.problems);
    done += part.events;
    if (part.next === undefined) return { problems, revision: part.head };
    onProgress({ step: "checking the audit", done, total: part.head, unit: "records" });
    from = part.next;
  }
}

function error(code: string, what: string, next: string): Finding {
  return { severity: "error", code, what, next };
}
