import type { Database } from "better-sqlite3";
import type { ApiId } from "../../domain/api.ts";
import type { Digest } from "../../domain/digest.ts";
import type { KeyId } from "../../domain/key.ts";
import type { Revision } from "../../domain/revision.ts";
import { logged } from "../../ports/change-log.ts";
import { conflictOf, type Records, SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type { Change, CommitResult, NewToken, ServedRequest } from "../../ports/store.ts";
import { insertSql, updateSql } from "./columns.ts";
import { encodeApi, encodeKey } from "./rows.ts";

/** Makes changes within a transaction that is open already. */
export interface ChangeWriter {
  /** Makes the change, or nothing of it. Throws what SQLite throws; then some of it may have been made. */
  make(change: Change): CommitResult;
  /** Forgets changes beyond those that are kept. */
  prune(): void;
}

/** `changesKept`: how many of the last changes stay in the log. */
export function createChangeWriter(db: Database, changesKept: number): ChangeWriter {
  const log = db.prepare("INSERT INTO changes (kind, record_id, adds_token) VALUES (?, ?, ?)");
  const pruneLog = db.prepare(
    "DELETE FROM changes WHERE revision <= (SELECT max(revision) FROM changes) - ?",
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
  const records = createRecords(db);

  function write(change: Change, revision: number): void {
    switch (change.kind) {
      case "create-api":
        insertApi.run(encodeApi(change.api, revision));
        return;
      case "update-api":
        updateApi.run(encodeApi(change.api, revision));
        return;
      case "delete-api":
        deleteApi.run(change.id);
        return;
      case "create-key":
        insertKey.run(encodeKey(change.key, revision));
        break;
      case "update-key":
        updateKey.run(encodeKey(change.key, revision));
        break;
    }
    if (change.token !== undefined) addToken(change.key.id, change.token);
    if (change.served !== undefined) remember(change.served);
  }

  function addToken(keyId: KeyId, { digest, pepperId, generation }: NewToken): void {
    insertPepper.run(pepperId);
    insertToken.run({ digest: bytesOf(digest), key_id: keyId, pepper_id: pepperId, generation });
  }

  function remember({ requestId, fingerprint, keyId, time }: ServedRequest): void {
    forgetServed.run(time - SERVED_REQUEST_LIFETIME);
    noteServed.run(requestId, fingerprint, keyId, time);
  }

  return {
    make(change) {
      const conflict = conflictOf(change, records);
      if (conflict !== undefined) return { ok: false, conflict };
      const { kind, recordId, addsToken } = logged(change);
      const revision = Number(log.run(kind, recordId, addsToken ? 1 : 0).lastInsertRowid);
      write(change, revision);
      return { ok: true, revision: revision as Revision };
    },
    prune() {
      pruneLog.run(changesKept);
    },
  };
}

function createRecords(db: Database): Records {
  const apiRevision = db.prepare<[string], Revision>("SELECT revision FROM apis WHERE id = ?").pluck();
  const apiOfPrefix = db.prepare<[string], ApiId>("SELECT id FROM apis WHERE token_prefix = ?").pluck();
  const keyRevision = db.prepare<[string], Revision>("SELECT revision FROM keys WHERE id = ?").pluck();
  const keyOfApi = db.prepare("SELECT 1 FROM keys WHERE api = ? LIMIT 1");
  const keyOfEnvironment = db.prepare("SELECT 1 FROM keys WHERE api = ? AND environment = ? LIMIT 1");
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
    hasToken: (digest) => token.get(bytesOf(digest)) !== undefined,
    servedTime: (requestId) => servedTime.get(requestId),
  };
}

function bytesOf(digest: Digest): Buffer {
  return Buffer.from(digest, "latin1");
}
