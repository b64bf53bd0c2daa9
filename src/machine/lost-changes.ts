import { type Inspection, openInspection } from "../adapters/sqlite/inspection.ts";
import { type AuditAction, type AuditEvent, CHAIN_ORIGIN, type ChainHead } from "../domain/audit-chain.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { SealKey } from "../domain/seal.ts";
import type { LostChanges, UndoneChange } from "../domain/store-care.ts";

/** Events that are looked at in one part. */
const PART = 10_000;

/** What a change of a key comes to; undefined: nothing that a restore could give back to its holder. */
const OUTCOMES: Readonly<Partial<Record<AuditAction, UndoneChange["what"]>>> = {
  RevokeKey: "revoked",
  DisableKey: "disabled",
  RotateKey: "rotated",
  EndGrace: "grace ended",
  UpdateKey: "changed",
};

/**
 * What is in the store that is about to be replaced and not in the restored one, whose audit ends at `restored`.
 * A string: why the old one can't be read.
 */
export async function lostChanges(
  replaced: string,
  restored: Inspection,
  end: ChainHead,
  sealKeys: readonly SealKey[],
): Promise<LostChanges | string> {
  try {
    const inspection = openInspection(replaced);
    try {
      return await changesAfter(inspection, restored, end, sealKeys);
    } finally {
      inspection.close();
    }
  } catch (error) {
    if (error instanceof KeywardenError) return error.message;
    throw error;
  }
}

async function changesAfter(
  inspection: Inspection,
  restored: Inspection,
  end: ChainHead,
  sealKeys: readonly SealKey[],
): Promise<LostChanges> {
  const audit = inspection.audit(sealKeys);
  const [last] = await audit.listAuditEvents({}, Number.MAX_SAFE_INTEGER as Revision, 1);
  const { revision, hash } = last ?? CHAIN_ORIGIN;
  const [atEnd] = end.revision === 0 ? [] : await audit.auditChain((end.revision - 1) as Revision, 1);
  const sameHistory = end.revision === 0 || (atEnd?.revision === end.revision && atEnd.hash === end.hash);
  if (!sameHistory) return { revision, hash, sameHistory, changes: 0, undone: [] };

  const undone = new Undone();
  let changes = 0;
  for (let after: Revision | undefined = end.revision; after !== undefined; ) {
    const events = await audit.auditChain(after, PART);
    changes += events.length;
    for (const event of events) if (restored.hasKey(event.recordId)) undone.note(event);
    after = events.length < PART ? undefined : events.at(-1)?.revision;
  }
  return { revision, hash, sameHistory, changes, undone: undone.changes };
}

/** What was done to keys, without what was taken back or does not matter any more. */
class Undone {
  readonly #changes = new Map<string, UndoneChange>();

  note({ recordId: keyId, action, time }: AuditEvent): void {
    const forget = (...gone: readonly UndoneChange["what"][]) => {
      for (const what of gone) this.#changes.delete(`${what} ${keyId}`);
    };
    if (action === "EnableKey") forget("disabled");
    if (action === "RotateKey") forget("grace ended");
    if (action === "RevokeKey") forget("disabled", "rotated", "grace ended", "changed");
    const what = OUTCOMES[action];
    // Of a rotation that was undone, no grace is left.
    if (what === "grace ended" && this.#changes.has(`rotated ${keyId}`)) return;
    if (what !== undefined) this.#changes.set(`${what} ${keyId}`, { keyId, what, time });
  }

  get changes(): readonly UndoneChange[] {
    return [...this.#changes.values()];
  }
}
