import { CHAIN_ORIGIN, type ChainHead, type EventHash } from "../../domain/audit-chain.ts";
import type { Revision } from "../../domain/revision.ts";
import type { Sealer } from "../../domain/seal.ts";
import type { auditHead } from "./schema.ts";
import { isSealed, sealed } from "./sealed-rows.ts";

export type HeadRow = typeof auditHead.$inferSelect;

/** Where the store has come to, as the writer writes it down with each commit. */
export interface StoredHead extends ChainHead {
  /** The sum over the seals of all APIs and keys. */
  readonly records: bigint;
  /** How many commits there were. */
  readonly commits: number;
  /** Nothing stored is to be trusted: somebody has changed records and audit together. */
  readonly isDistrusted: boolean;
}

/** Of a store that has nothing. */
export const NEW_STORE: StoredHead = { ...CHAIN_ORIGIN, records: 0n, commits: 0, isDistrusted: false };

export function encodeHead(sealer: Sealer, head: StoredHead): HeadRow {
  return sealed(sealer, "audit_head", {
    id: 1,
    revision: head.revision,
    hash: head.hash,
    records: sealer.hiddenSum(head.records),
    commits: head.commits,
    is_distrusted: head.isDistrusted ? 1 : 0,
  });
}

/** Undefined: it is not what the writer wrote. */
export function decodeHead(sealer: Sealer, row: HeadRow): StoredHead | undefined {
  if (!isSealed(sealer, "audit_head", row)) return undefined;
  const { revision, hash, commits } = row;
  const records = sealer.revealedSum(row.records, row.seal);
  if (records === undefined) return undefined;
  return {
    revision: revision as Revision,
    hash: hash as EventHash,
    records,
    commits,
    isDistrusted: row.is_distrusted !== 0,
  };
}

/** Are these the same row, column by column? */
export function isSameHead(one: HeadRow, other: HeadRow): boolean {
  return (
    one.revision === other.revision &&
    one.hash === other.hash &&
    one.commits === other.commits &&
    one.is_distrusted === other.is_distrusted &&
    one.records.equals(other.records) &&
    one.seal.equals(other.seal)
  );
}
