import type { Database } from "better-sqlite3";
import { type ApiId, BUILT_IN_API } from "../../domain/api.ts";
import type { Digest } from "../../domain/digest.ts";
import type { Key, KeyId } from "../../domain/key.ts";
import type { Revision } from "../../domain/revision.ts";
import type { Sealer } from "../../domain/seal.ts";
import { auditEventOf } from "../../ports/change-log.ts";
import { conflictOf, type Records, SERVED_REQUEST_LIFETIME } from "../../ports/conflict.ts";
import type { AuditEntry, Change, CommitResult, NewToken, ServedRequest } from "../../ports/store.ts";
import { createEventWriter } from "./audit-event-writer.ts";
import { insertSql, updateSql } from "./columns.ts";
import { encodeApi, encodeKey } from "./rows.ts";
import { createSchemaGuard } from "./schema-guard.ts";
import type { SchemaObject } from "./schema-objects.ts";
import { lastChangeSql, type OnRefusedRow, type SealedKeyRow, SealedReader } from "./sealed-reader.ts";
import { sealed } from "./sealed-rows.ts";
import { type ChangedSeals, StoreEnd } from "./store-end.ts";
import { untrusted } from "./untrusted.ts";

type ChangeOf<Kind extends Change["kind"]> = Extract<Change, { readonly kind: Kind }>;

/** Makes changes within a transaction that is open already. */
export interface ChangeWriter {
  /**
   * To be called first in each transaction. False: somebody has changed the record of where the audit ends, and `finish`
   * puts it right. Throws DATA_LOSS (SCHEMA_ALTERED): nothing that is written now would have to be what is stored.
   */
  begin(): boolean;
  /** Makes the change, or nothing of it. Throws what SQLite throws; then some of it may have been made. */
  make(change: Change, entry: AuditEntry): CommitResult;
  /** To be called when records were sealed anew, with their seals. */
  resealed(seals: ChangedSeals): void;
  /** Whether anything that is stored is trusted from now on. */
  trust(isTrusted: boolean): void;
  /** To be called last in each transaction that has written something: writes down what the store has come to. */
  finish(): void;
  /** To be called once a transaction was committed. If that is not known, it is not called. */
  committed(): void;
}

interface ChangeWriterParts {
  readonly sealer: Sealer;
  /** This build's. */
  readonly schema: readonly SchemaObject[];
  /** Told of whatever the writer meets that is not what it wrote. */
  readonly onRefusedRow: OnRefusedRow;
}

export function createChangeWriter(
  db: Database,
  { sealer, schema, onRefusedRow }: ChangeWriterParts,
): ChangeWriter {
  const end = new StoreEnd(db, sealer, (what) => onRefusedRow(untrusted(what)));
  const refuseAlteredSchema = createSchemaGuard(db, schema, onRefusedRow);
  const addEvent = createEventWriter(db, onRefusedRow);
  // A hundred at a time: more than come, and no long wait after a long pause.
  const forgetServed = db.prepare("DELETE FROM served_requests WHERE time <= ? ORDER BY time LIMIT 100");
  const insertApi = db.prepare(insertSql(db, "apis"));
  const updateApi = db.prepare(updateSql(db, "apis", ["create_time"]));
  const deleteApi = db.prepare("DELETE FROM apis WHERE id = ?");
  const sealOfApi = db.prepare<[string]>("SELECT seal FROM apis WHERE id = ?").pluck();
  const insertKey = db.prepare(insertSql(db, "keys"));
  const updateKey = db.prepare(updateSql(db, "keys", ["api", "environment", "create_time"]));
  const sealOfKey = db.prepare<[string]>("SELECT seal FROM keys WHERE id = ?").pluck();
  const insertPepper = db.prepare("INSERT OR IGNORE INTO peppers (id) VALUES (?)");
  const insertToken = db.prepare(insertSql(db, "tokens"));
  const noteServed = db.prepare(
    "INSERT OR REPLACE INTO served_requests (request_id, fingerprint, key_id, time) VALUES (?, ?, ?, ?)",
  );
  const records = createRecords(db, new SealedReader(sealer, onRefusedRow));

  /** Gives the seals that are not there any more, and those that are there now. */
  function write(change: Change, revision: number): ChangedSeals {
    switch (change.kind) {
      case "create-api":
      case "update-api":
        return writeApi(change, revision);
      case "delete-api": {
        const gone = [sealOfApi.get(change.id)];
        deleteApi.run(change.id);
        return { gone, added: [] };
      }
      case "create-key":
      case "update-key":
        return writeKey(change, revision);
      case "import-keys":
        return { gone: [], added: change.keys.map(({ key, token }) => addKey(key, token, revision)) };
    }
  }

  function writeApi({ kind, api }: ChangeOf<"create-api" | "update-api">, revision: number): ChangedSeals {
    const row = sealed(sealer, "apis", encodeApi(api, revision));
    const isNew = kind === "create-api";
    const gone = isNew ? [] : [sealOfApi.get(api.id)];
    (isNew ? insertApi : updateApi).run(row);
    return { gone, added: [row.seal] };
  }

  function writeKey(change: ChangeOf<"create-key" | "update-key">, revision: number): ChangedSeals {
    const { key, served } = change;
    const gone = change.kind === "create-key" ? [] : [sealOfKey.get(key.id)];
    const seal =
      change.kind === "create-key"
        ? addKey(key, change.token, revision)
        : changeKey(key, change.token, revision);
    if (served !== undefined) remember(served);
    return { gone, added: [seal] };
  }

  function addKey(key: Key, token: NewToken, revision: number): Buffer {
    const row = sealed(sealer, "keys", encodeKey(key, revision));
    insertKey.run(row);
    addToken(key.id, token);
    return row.seal;
  }

  function changeKey(key: Key, token: NewToken | undefined, revision: number): Buffer {
    const row = sealed(sealer, "keys", encodeKey(key, revision));
    updateKey.run(row);
    if (token !== undefined) addToken(key.id, token);
    return row.seal;
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

  return {
    begin() {
      refuseAlteredSchema();
      return end.begin();
    },
    make(change, entry) {
      const conflict = conflictOf(change, entry, records);
      if (conflict !== undefined) return { ok: false, conflict };
      const revision = (end.head.revision + 1) as Revision;
      const event = auditEventOf(change, entry, revision, end.head.hash);
      addEvent(event);
      const seals = write(change, revision);
      end.changed(seals);
      end.advance({ revision, hash: event.hash });
      return { ok: true, revision };
    },
    resealed: (seals) => end.changed(seals),
    trust: (isTrusted) => end.advance({ isDistrusted: !isTrusted }),
    finish: () => end.finish(),
    committed: () => end.committed(),
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
    credentials: () =>
      keysOfApi.all(BUILT_IN_API).flatMap((row) => rows.ifTrusted(() => rows.key(row)) ?? []),
    hasToken: (digest) => token.get(bytesOf(digest)) !== undefined,
    servedTime: (requestId) => servedTime.get(requestId),
  };
}

function bytesOf(digest: Digest): Buffer {
  return Buffer.from(digest, "latin1");
}
