import type { Logger } from "../adapters/telemetry/logger.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { AuditWatch } from "../app/audit-watch.ts";
import { type Authority, KEYWARDEN } from "./authority.ts";

/** Milliseconds between two looks at the whole audit. */
const HOUR = 3_600_000;

/** Watches over the server's own audit, and raises an alarm for what somebody has done to it. */
export function openAuditWatch(authority: Authority, counts: ThreadCounts, log: Logger): AuditWatch {
  return new AuditWatch({
    parts: { ...authority, caller: KEYWARDEN },
    interval: HOUR,
    onProblem: ({ kind, revision, message }) => {
      counts.add("auditProblems");
      log.error(
        { alarm: true, kind, revision },
        `ALARM: the audit was changed behind Keywarden's back: ${message}; look closer with keywarden audit verify and keywarden doctor`,
      );
    },
    onError: (error) => log.warn({ err: error }, "the audit could not be looked at"),
  });
}
