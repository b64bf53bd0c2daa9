import type { Logger } from "../adapters/telemetry/logger.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { AuditWatch } from "../app/audit-watch.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { type Authority, KEYWARDEN } from "./authority.ts";

/** Milliseconds between two looks at the whole audit. */
const HOUR = 3_600_000;

/**
 * Watches, from its `start` on, over the server's own records and audit, and raises an alarm for what somebody has done to
 * them. A store that was found not to be trusted is looked at before this resolves: rejects with FAILED_PRECONDITION
 * (STORE_DISTRUSTED) if it still is not.
 */
export async function openAuditWatch(
  authority: Authority,
  onForeignWrite: (listener: () => void) => void,
  counts: ThreadCounts,
  log: Logger,
): Promise<AuditWatch> {
  const watch = new AuditWatch({
    parts: { ...authority, caller: KEYWARDEN },
    interval: HOUR,
    onProblem: ({ kind, revision, message }) => {
      counts.add("auditProblems");
      log.error(
        { alarm: true, kind, revision },
        `ALARM: the audit, or what it vouches for, was changed behind Keywarden's back: ${message}; look closer with keywarden audit verify and keywarden doctor`,
      );
    },
    onTrust: (isTrusted) => {
      if (isTrusted) log.warn("records and audit are sound again, and trusted");
      else log.fatal({ alarm: true }, `ALARM: ${DISTRUSTED}: every call is refused`);
    },
    onError: (error) => log.warn({ err: error }, "the audit could not be looked at"),
  });
  onForeignWrite(() => {
    log.error(
      { alarm: true },
      "ALARM: somebody else than this server has written to its database: everything in it is looked at",
    );
    watch.lookSoon();
  });
  const { isDistrusted } = await authority.store.auditHead();
  if (isDistrusted && !(await watch.look())) {
    throw new KeywardenError({
      status: "FAILED_PRECONDITION",
      reason: "STORE_DISTRUSTED",
      message: `${DISTRUSTED}: restore a backup with keywarden restore, and find out who can write the database file`,
    });
  }
  return watch;
}

const DISTRUSTED =
  "records and audit were changed behind Keywarden's back, so that nobody can know which records were written last";
