import type { Logger } from "../adapters/telemetry/logger.ts";
import type { CellName } from "../adapters/telemetry/thread-cells.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import type { KeywardenError } from "../domain/keywarden-error.ts";

/** Counts a stored row that can't be trusted or read, whoever met it, and says what becomes of it. */
export function onRefusedRow(log: Logger, counts: ThreadCounts): (error: KeywardenError) => void {
  return (error) => {
    counts.add(countOf(error));
    const { reason } = error;
    if (reason === "STORE_CORRUPT") {
      log.error({ err: error, reason }, "a stored row cannot be read: it grants nothing");
    } else {
      log.error({ err: error, reason, alarm: true }, CHANGED[reason] ?? CHANGED["SEAL_BROKEN"]);
    }
  };
}

const CHANGED: Readonly<Record<string, string>> = {
  SEAL_BROKEN: "ALARM: a stored row was changed behind Keywarden's back: it grants nothing",
  AUDIT_FORGED: "ALARM: the audit was changed behind Keywarden's back",
  SCHEMA_ALTERED: "ALARM: the database's schema was changed behind Keywarden's back: nothing is written",
};

function countOf(error: KeywardenError): CellName {
  if (error.reason === "STORE_CORRUPT") return "unreadableRecords";
  return error.reason === "SEAL_BROKEN" ? brokenRecord(error) : "auditProblems";
}

/** Which of a broken seal's kinds of records it is, by its first words. */
function brokenRecord({ message }: KeywardenError): "brokenApis" | "brokenTokens" | "brokenKeys" {
  if (message.startsWith("the stored API ")) return "brokenApis";
  return message.startsWith("the stored token ") ? "brokenTokens" : "brokenKeys";
}
