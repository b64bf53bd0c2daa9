import type { Api } from "../../domain/api.ts";
import type { Key } from "../../domain/key.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Sealer } from "../../domain/seal.ts";
import { decodeHead, type HeadRow, type StoredHead } from "./audit-head-rows.ts";
import { decoded } from "./reading.ts";
import { decodeApi, decodeKey } from "./rows.ts";
import type { apis, keys } from "./schema.ts";
import { isSealed, type SealedTable } from "./sealed-rows.ts";
import { untrusted } from "./untrusted.ts";

/** Rows as they were read: of a record, with the revision of the last change that the audit has of it. */
export type SealedApiRow = typeof apis.$inferSelect & LastChange;
export type SealedKeyRow = typeof keys.$inferSelect & LastChange;

interface LastChange {
  readonly last_change: number | null;
}

/** Told of each row that somebody met and that can't be decoded or trusted: SEAL_BROKEN, STORE_CORRUPT, AUDIT_FORGED. */
export type OnRefusedRow = (error: KeywardenError) => void;

/**
 * SQL for the revision of the last change of the record in the table `record`: by the audit, or if it has none under the
 * record's own id, of the import that brought it. NULL: there is no such event.
 */
export function lastChangeSql(record: "apis" | "keys" | "k"): string {
  return `coalesce(
    (SELECT max(revision) FROM audit_events WHERE record_id = ${record}.id),
    (SELECT revision FROM audit_events WHERE revision = ${record}.revision AND record_kind = 'import')
  )`;
}

/**
 * Makes records of rows, if they can be trusted: a seal says that Keywarden wrote the row, and the audit that it did not
 * write a newer one since. Whatever can't be is reported, whoever reads it. Throws DATA_LOSS: SEAL_BROKEN, STORE_CORRUPT.
 */
export class SealedReader {
  readonly #sealer: Sealer;
  readonly #onRefusedRow: OnRefusedRow;

  constructor(sealer: Sealer, onRefusedRow: OnRefusedRow) {
    this.#sealer = sealer;
    this.#onRefusedRow = onRefusedRow;
  }

  api(row: SealedApiRow): Api {
    const name = `API ${row.id}`;
    return this.#reported(() => {
      this.#refuseUnlessNewest("apis", row, name);
      return decoded(name, () => decodeApi(row));
    });
  }

  key(row: SealedKeyRow): Key {
    const name = `key ${row.id}`;
    return this.#reported(() => {
      this.#refuseUnlessNewest("keys", row, name);
      return decoded(name, () => decodeKey(row));
    });
  }

  refuseUnlessSealed(table: SealedTable, row: Readonly<Record<string, unknown>>, name: string): void {
    this.#reported(() => this.#refuseUnlessSealed(table, row, name));
  }

  /** Undefined: it is not what Keywarden wrote. */
  head(row: HeadRow): StoredHead | undefined {
    const head = decodeHead(this.#sealer, row);
    if (head === undefined) this.report("the record of where the audit ends is not what Keywarden wrote");
    return head;
  }

  /** Reports something else that nobody but Keywarden should have done: AUDIT_FORGED. */
  report(what: string): void {
    this.#onRefusedRow(untrusted(what));
  }

  /** What is read, if it can be trusted; if not, that was reported, and must not fail the others of its group. */
  ifTrusted<Read>(read: () => Read): Read | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof KeywardenError) return undefined;
      throw error;
    }
  }

  #refuseUnlessNewest(table: SealedTable, row: SealedApiRow | SealedKeyRow, name: string): void {
    this.#refuseUnlessSealed(table, { ...row }, name);
    if (row.revision !== row.last_change) throw broken(name, "it is not the version that was written last");
  }

  #refuseUnlessSealed(table: SealedTable, row: Readonly<Record<string, unknown>>, name: string): void {
    if (!isSealed(this.#sealer, table, row)) throw broken(name, "it is not what Keywarden wrote");
  }

  #reported<Read>(read: () => Read): Read {
    try {
      return read();
    } catch (error) {
      if (error instanceof KeywardenError) this.#onRefusedRow(error);
      throw error;
    }
  }
}

function broken(record: string, why: string): KeywardenError {
  return new KeywardenError({
    status: "DATA_LOSS",
    reason: "SEAL_BROKEN",
    message:
      `the stored ${record} was changed behind Keywarden's back: ${why}. It grants nothing until it is restored ` +
      "from a backup; find out who can write the database file",
  });
}
