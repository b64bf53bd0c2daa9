import type { Database } from "better-sqlite3";
import { type ApiId, BUILT_IN_API } from "../../domain/api.ts";
import { CHAIN_ORIGIN, type ChainHead, type EventHash } from "../../domain/audit-chain.ts";
import type { Digest } from "../../domain/digest.ts";
import type { KeyId } from "../../domain/key.ts";
import type { Revision } from "../../domain/revision.ts";
import type { Sealer } from "../../domain/seal.ts";
import { auditEventOf, logged } from "../../ports/change-log.ts";
import { conflictOf, type Records, SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type { AuditEntry, Change, CommitResult, NewToken, ServedRequest } from "../../ports/store.ts";
import { encodeAuditEvent } from "./audit-rows.ts";
import { insertSql, updateSql } from "./columns.ts";
import { encodeApi, encodeKey } from "./rows.ts";
import { lastChangeSql, type SealedKeyRow, SealedReader } from "./sealed-reader.ts";
import { isSealed, type Row, sealed } from "./sealed-rows.ts";

/** Makes changes within a transaction that is open already. */
export interface ChangeWriter {
  /** To be called first in each transaction. */
  begin(): void;
  /** Makes the change, or nothing of it. Throws what SQLite throws; then some of it may have been made. */
  make(change: Change, entry: AuditEntry): CommitResult;
  /** To be called last in each transaction: writes down where the audit ends now. */
  finish(): void;
}

/** Follows no event: where it stands in a chain, the chain is seen to be broken. */
const BROKEN = "the record of the audit's end was not authentic" as EventHash;

export function createChangeWriter(db: Database, sealer: Sealer): ChangeWriter {
  const readHead = db.prepare<[], ChainHead & Row>("SELECT * FROM audit_head");
  // The last one that was ever given, also if somebody has deleted its event: a gap is seen, a number given twice not.
  const lastRevision = db
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'")
    .pluck();
  const addEvent = db.prepare(insertSql(db, "audit_events"));
  const writeHead = db.prepare(
    `INSERT INTO audit_head (id, revision, hash, seal) VALUES (@id, @revision, @hash, @seal)
    ON CONFLICT (id) DO UPDATE SET revision = @revision, hash = @hash, seal = @seal`,
  );
  // A hundred at a time: more than come, and no long wait after a long pause.
  const forgetServed = db.prepare("DELETE FROM served_requests WHERE time <= ? ORDER BY time LIMIT 100");
  const insertApi = db.prepare(insertSql(db, "apis"));
  const updateApi = db.prepare(updateSql(db, "apis", ["create_time"]));
  const deleteApi = db.prepare("DELETE FROM apis WHERE id = ?");
  const insertKey = db.prepare(insertSql(db, "keys"));
  const updateKey = db.prepare(updateSql(db, "keys", ["api", "environment", "create_time"]));
  const insertPepper = db.prepare("INSERT OR IGNORE INTO peppers (id) VALUES (?)");
  const insertToken = db.prepare(insertSql(db, "tokens"));
  const noteServed = db.prepare(
    "INSERT OR REPLACE INTO served_requests (request_id, fingerprint, key_id, time) VALUES (?, ?, ?, ?)",
  );
  const records = createRecords(db, new SealedReader(sealer));

  function write(change: Change, revision: number): void {
    switch (change.kind) {
      case "create-api":
        insertApi.run(sealed(sealer, "apis", encodeApi(change.api, revision)));
        return;
      case "update-api":
        updateApi.run(sealed(sealer, "apis", encodeApi(change.api, revision)));
        return;
      case "delete-api":
        deleteApi.run(change.id);
        return;
      case "create-key":
        insertKey.run(sealed(sealer, "keys", encodeKey(change.key, revision)));
        break;
      case "update-key":
        updateKey.run(sealed(sealer, "keys", encodeKey(change.key, revision)));
        break;
      case "import-keys":
        for (const { key, token } of change.keys) {
          insertKey.run(sealed(sealer, "keys", encodeKey(key, revision)));
          addToken(key.id, token);
        }
        return;
    }
    if (change.token !== undefined) addToken(change.key.id, change.token);
    if (change.served !== undefined) remember(change.served);
  }

  function addToken(keyId: KeyId, { digest, pepperId, generation }: NewToken): void {
    insertPepper.run(pepperId);
    const row = { digest: bytesOf(digest), key_id: keyId, pepper_id: pepperId, generation };
    insertToken.run(sealed(sealer, "tokens", row));
  }

  function remember({ requestId, fingerprint, keyId, time }: ServedRequest): void {
    forgetServed.run(time - SERVED_REQUEST_LIFETIME);
    noteServed.run(requestId, fingerprint, keyId, time);
  }

  /**
   * What the next event follows: what Keywarden itself wrote down, not the last event that there is, so that whatever
   * somebody has added, cut off or written anew shows for ever.
   */
  function chainEnd(): ChainHead {
    const stored = readHead.get();
    if (stored !== undefined && isSealed(sealer, "audit_head", stored)) return stored;
    const isNew = stored === undefined && lastRevision.get() === undefined;
    return isNew ? CHAIN_ORIGIN : { revision: 0 as Revision, hash: BROKEN };
  }

  let head = CHAIN_ORIGIN;

  return {
    begin() {
      head = chainEnd();
    },
    make(change, entry) {
      const conflict = conflictOf(change, entry, records);
      if (conflict !== undefined) return { ok: false, conflict };
      const revision = ((lastRevision.get() ?? 0) + 1) as Revision;
      const event = auditEventOf(change, entry, revision, head.hash);
      addEvent.run(encodeAuditEvent(event, logged(change)));
      write(change, revision);
      head = { revision, hash: event.hash };
      return { ok: true, revision };
    },
    finish() {
      const { revision, hash } = head;
      if (revision > 0) writeHead.run(sealed(sealer, "audit_head", { id: 1, revision, hash }));
    },
  };
}

function createRecords(db: Database, rows: SealedReader): Records {
  const apiRevision = db.prepare<[string], Revision>("SELECT revision FROM apis WHERE id = ?").pluck();
  const apiOfPrefix = db.prepare<[string], ApiId>("SELECT id FROM apis WHERE token_prefix = ?").pluck();
  const keyRevision = db.prepare<[string], Revision>("SELECT revision FROM keys WHERE id = ?").pluck();
  const keyOfApi = db.prepare("SELECT 1 FROM keys WHERE api = ? LIMIT 1");
  const keyOfEnvironment = db.prepare("SELECT 1 FROM keys WHERE api = ? AND environment = ? LIMIT 1");
  const keysOfApi = db.prepare<[string], SealedKeyRow>(
    `SELECT *, ${lastChangeSql("keys")} AS last_change FROM keys WHERE api = ?`,
  );
  const token = db.prepare("SELECT 1 FROM tokens WHERE digest = ?");
  const servedTime = db
    .prepare<[string], number>("SELECT time FROM served_requests WHERE request_id = ?")
    .pluck();
  return {
    apiRevision: (id) => apiRevision.get(id),
    apiOfPrefix: (tokenPrefix) => apiOfPrefix.get(tokenPrefix),
    keyRevision: (id) => keyRevision.get(id),
    hasKeys: (api, environment) =>
      (environment === undefined ? keyOfApi.get(api) : keyOfEnvironment.get(api, environment)) !== undefined,
    credentials: () => keysOfApi.all(BUILT_IN_API).map((row) => rows.key(row)),
    hasToken: (digest) => token.get(bytesOf(digest)) !== undefined,
    servedTime: (requestId) => servedTime.get(requestId),
  };
}

function bytesOf(digest: Digest): Buffer {
  return Buffer.from(digest, "latin1");
}
