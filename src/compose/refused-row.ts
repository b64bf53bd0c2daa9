import type { Logger } from "../adapters/telemetry/logger.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import type { KeywardenError } from "../domain/keywarden-error.ts";

/** Counts a stored row that a verification met and that can't be trusted, and says what becomes of it. */
export function onRefusedRow(log: Logger, counts: ThreadCounts): (error: KeywardenError) => void {
  return (error) => {
    const isTampered = error.reason === "SEAL_BROKEN";
    counts.add(isTampered ? brokenRecord(error) : "unreadableRecords");
    log.error(
      { err: error, reason: error.reason, ...(isTampered && { alarm: true }) },
      isTampered
        ? "ALARM: a stored row was changed behind Keywarden's back; its token is denied"
        : "a stored row cannot be read; its token is denied",
    );
  };
}

/** Which of a broken seal's kinds of records it is, by its first words. */
function brokenRecord({ message }: KeywardenError): "brokenApis" | "brokenTokens" | "brokenKeys" {
  if (message.startsWith("the stored API ")) return "brokenApis";
  return message.startsWith("the stored token ") ? "brokenTokens" : "brokenKeys";
}
