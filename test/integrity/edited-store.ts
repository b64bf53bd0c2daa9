import { createSecretKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach } from "vitest";
import { openSqliteStore, type SqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { AdminParts } from "../../src/app/admin-parts.ts";
import { verifyAudit } from "../../src/app/audit.ts";
import { createApi } from "../../src/app/create-api.ts";
import { createKey } from "../../src/app/create-key.ts";
import { PageTokens } from "../../src/app/page-tokens.ts";
import { revokeKey } from "../../src/app/revoke-key.ts";
import type { AuditEvent } from "../../src/domain/audit-chain.ts";
import { CheckpointKeys } from "../../src/domain/audit-checkpoint.ts";
import { createPepper, type Digest, digestToken, hashToken } from "../../src/domain/digest.ts";
import type { Key, KeyId } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { SealKey } from "../../src/domain/seal.ts";
import type { Store } from "../../src/ports/store.ts";
import { behindCache } from "../conformance/behind-cache.ts";
import { KEY } from "../support/authority.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { SEAL_KEY, testApi } from "../support/records.ts";

/** A store that somebody edits behind its back, with what its administration and verifications see of it. */
export interface EditedStore {
  readonly store: SqliteStore;
  readonly parts: AdminParts;
  /** Reasons and messages of the alarms that were raised. */
  readonly alarms: string[];
  readonly key: Key;
  /** Is the key's token found, by what a cache keeps of it? */
  isFound(): Promise<boolean>;
  revoke(): Promise<void>;
  /** Runs SQL as anyone could who can write the file; `aside` is a database to keep things in. */
  edit(...statements: readonly string[]): void;
  /** The answer of one SQL expression. */
  ask<Answer>(sql: string): Answer;
  /** What a verification of the audit finds, each as `KIND revision`. */
  problems(): Promise<readonly string[]>;
  /** The audit's newest event. */
  newest(): Promise<AuditEvent>;
  /** Closes the store; `open` gives it back with these seal keys. */
  close(): Promise<void>;
  open(...sealKeys: readonly SealKey[]): Promise<void>;
}

/** Before each test, a store with the API `orders` and one key, which a cache has read. */
export function editedStore(): EditedStore {
  let directory: ReturnType<typeof temporaryDirectory>;
  let store: SqliteStore;
  let cached: Store;
  let parts: AdminParts;
  let key: Key;
  let digest: Digest;
  const alarms: string[] = [];
  const pepper = createPepper(randomBytes(32));
  const path = () => join(directory.path, "keywarden.db");

  const edited: EditedStore = {
    get store() {
      return store;
    },
    get parts() {
      return parts;
    },
    alarms,
    get key() {
      return key;
    },
    async isFound() {
      const { value } = await cached.findTokens([digest]);
      return value.some(({ key: found }) => found.state === "ACTIVE");
    },
    revoke: async () => void (await revokeKey(parts, { keyId: key.id, etag: "" })),
    edit(...statements) {
      const db = new Database(path());
      db.pragma("ignore_check_constraints = ON");
      db.pragma("foreign_keys = OFF");
      db.prepare("ATTACH ? AS aside").run(join(directory.path, "aside.db"));
      for (const statement of statements) db.exec(statement);
      db.close();
    },
    ask<Answer>(sql: string) {
      const db = new Database(path(), { readonly: true });
      const answer = db.prepare<[], Answer>(sql).pluck().get();
      db.close();
      if (answer === undefined) throw new Error(`nothing answers ${sql}`);
      return answer;
    },
    async problems() {
      const { problems } = await verifyAudit(parts, 1 as Revision, undefined);
      return problems.map(({ kind, revision }) => `${kind} ${revision}`);
    },
    async newest() {
      const [event] = await store.listAuditEvents({}, Number.MAX_SAFE_INTEGER as Revision, 1);
      if (event === undefined) throw new Error("there is no event");
      return event;
    },
    close: () => store.close(),
    async open(...sealKeys) {
      store = await openSqliteStore({
        path: path(),
        unlock: async () => [sealKeys[0] ?? SEAL_KEY, ...sealKeys.slice(1)],
        onRefusedRow: ({ reason, message }) => alarms.push(`${reason} ${message}`),
        onWriterFailure: (error) => alarms.push(String(error)),
      });
      cached = behindCache(store);
      parts = {
        store,
        pepper,
        formerPeppers: [],
        pageTokens: new PageTokens(createSecretKey(randomBytes(32))),
        checkpointKeys: new CheckpointKeys(sealKeys.length === 0 ? [SEAL_KEY] : sealKeys),
        caller: { actor: { kind: "MACHINE", keyId: null, ip: "" }, credential: null, requestId: "" },
        now: () => 1_000_000,
        randomBytes,
        newKeyId: () => uuidv7() as KeyId,
      };
    },
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    alarms.length = 0;
    await edited.open();
    await createApi(parts, testApi());
    const created = await createKey(parts, KEY, "");
    if (created.replayed) throw new Error("a new key is no replay");
    key = created.key;
    digest = digestToken(hashToken(created.token.reveal()), pepper);
    if (!(await edited.isFound())) throw new Error("the key is not found");
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });
  return edited;
}
