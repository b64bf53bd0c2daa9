import { createSecretKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach } from "vitest";
import { openSqliteStore, type SqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { AdminParts } from "../../src/app/admin-parts.ts";
import { verifyAudit } from "../../src/app/audit.ts";
import { createApi } from "../../src/app/create-api.ts";
import { PageTokens } from "../../src/app/page-tokens.ts";
import type { AuditEvent } from "../../src/domain/audit-chain.ts";
import { type AuditCheckpoint, CheckpointKeys } from "../../src/domain/audit-checkpoint.ts";
import { createPepper } from "../../src/domain/digest.ts";
import type { KeyId } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { SealKey } from "../../src/domain/seal.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { SEAL_KEY, testApi } from "../support/records.ts";

/** A store whose file somebody edits behind its back, with what its administration sees of it. */
export interface StoreOnFile {
  path(): string;
  readonly store: SqliteStore;
  readonly parts: AdminParts;
  /** Reasons and messages of the alarms that were raised. */
  readonly alarms: string[];
  /** Runs SQL as anyone could who can write the file; `aside` is a database to keep things in. */
  edit(...statements: readonly string[]): void;
  /** The answer of one SQL expression. */
  ask<Answer>(sql: string): Answer;
  /** What a verification of the audit finds, each as `KIND revision`. */
  problems(checkpoint?: AuditCheckpoint): Promise<readonly string[]>;
  /** The audit's newest event. */
  newest(): Promise<AuditEvent>;
  /** Closes the store; `open` gives it back with these seal keys. */
  close(): Promise<void>;
  open(...sealKeys: readonly SealKey[]): Promise<void>;
}

/** Before each test, a store with the API `orders`. */
export function storeOnFile(): StoreOnFile {
  let directory: ReturnType<typeof temporaryDirectory>;
  let store: SqliteStore;
  let parts: AdminParts;
  const alarms: string[] = [];
  const pepper = createPepper(randomBytes(32));
  const path = () => join(directory.path, "keywarden.db");

  const onFile: StoreOnFile = {
    path,
    get store() {
      return store;
    },
    get parts() {
      return parts;
    },
    alarms,
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
    async problems(checkpoint) {
      const { problems } = await verifyAudit(parts, 1 as Revision, checkpoint);
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
    await onFile.open();
    await createApi(parts, testApi());
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });
  return onFile;
}
