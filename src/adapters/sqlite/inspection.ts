import { statSync } from "node:fs";
import { resolve } from "node:path";
import Database from "better-sqlite3";
import type { Key } from "../../domain/key.ts";
import type { SecretUse } from "../../domain/keyring.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { Sealer, type SealKey } from "../../domain/seal.ts";
import type { OnProgress, StoreContent } from "../../domain/store-care.ts";
import type { AuditReads } from "../../ports/store.ts";
import { createAuditReads } from "./audit-reads.ts";
import { setPragma } from "./connection.ts";
import { examineRecords } from "./examine-records.ts";
import { hasLog, inspectHeader } from "./inspect-database.ts";
import {
  contentOf,
  missingRecords,
  newestTime,
  type RecordProblems,
  recordProblems,
  type Sample,
} from "./inspection-records.ts";
import { secretUses, storedIds } from "./inspection-secrets.ts";
import { brokenReferences, foreignObjects, schemaAge, structureProblems } from "./inspection-structure.ts";
import { refusal, refusalOf } from "./refusal.ts";
import { lastChangeSql, type SealedKeyRow, SealedReader } from "./sealed-reader.ts";
import type { UsedSecrets } from "./sqlite-store.ts";

/**
 * A look at a whole database as it was at one instant, whoever else has it open. Nothing is written. Each method may
 * throw a refusal (STORE_CORRUPT) or STORE_UNAVAILABLE.
 */
export interface Inspection {
  /** Of the database's pages, in bytes. */
  readonly bytes: number;
  readonly sqliteVersion: string;
  readonly schemaAge: "older" | "current";
  storedIds(): UsedSecrets;
  secretUses(): readonly SecretUse[];
  content(): StoreContent;
  structureProblems(thorough: boolean): readonly string[];
  foreignObjects(): readonly string[];
  brokenReferences(): ReadonlyMap<string, number>;
  recordProblems(sealKeys: readonly SealKey[], onProgress: OnProgress): Promise<RecordProblems>;
  missingRecords(): { readonly records: Sample; readonly tokens: Sample };
  newestTime(): number;
  /** Keys of an API that can be trusted. */
  trustedKeys(api: string, sealKeys: readonly SealKey[]): readonly Key[];
  hasKey(id: string): boolean;
  audit(sealKeys: readonly SealKey[]): AuditReads;
  close(): void;
}

/** What is wrong is what an inspection is asked for. */
const unreported = () => {};

/** Milliseconds to wait for another process's lock. */
const PATIENCE = 5_000;

/** In KiB, as SQLite counts below zero: a look goes through several trees at once. */
const CACHE_SIZE = -256 * 1024;

/**
 * Opens a database for a look. Throws FAILED_PRECONDITION: STORE_MISSING, STORE_CORRUPT, STORE_FOREIGN,
 * STORE_NEWER_SCHEMA, STORE_NOT_WRITABLE.
 */
export function openInspection(file: string): Inspection {
  const path = resolve(file);
  return orRefuse(path, () => {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0 && !hasLog(path)) throw missing(path);
    inspectHeader(path);
    const db = openQuietly(path);
    try {
      setPragma(db, "trusted_schema", 0);
      setPragma(db, "query_only", 1);
      setPragma(db, "cache_size", CACHE_SIZE);
      // From here on, everything is seen as it is now.
      db.exec("BEGIN");
      const age = schemaAge(db);
      if (age === "newer") throw refusal("STORE_NEWER_SCHEMA", path);
      return inspectionOf(db, path, age);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * Leaves no file behind: closing a connection that could write brings what is in the log into the database, and one that
 * can't write leaves an empty log where there was none.
 */
export function openQuietly(path: string): Database.Database {
  return new Database(path, { readonly: hasLog(path), fileMustExist: true, timeout: PATIENCE });
}

function inspectionOf(db: Database.Database, path: string, age: "older" | "current"): Inspection {
  const ask = <Answer>(question: () => Answer) => orRefuse(path, question);
  const number = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  return {
    bytes: (number("page_count") - number("freelist_count")) * number("page_size"),
    sqliteVersion: db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "",
    schemaAge: age,
    storedIds: () => ask(() => storedIds(db)),
    secretUses: () => ask(() => secretUses(db)),
    content: () => ask(() => contentOf(db)),
    structureProblems: (thorough) => ask(() => structureProblems(db, thorough)),
    foreignObjects: () => ask(() => foreignObjects(db)),
    brokenReferences: () => ask(() => brokenReferences(db)),
    recordProblems: (sealKeys, onProgress) =>
      recordProblems(db, sealKeys, onProgress).catch((error: unknown) => {
        throw refusalOf(error, path);
      }),
    missingRecords: () => ask(() => missingRecords(db)),
    newestTime: () => ask(() => newestTime(db)),
    trustedKeys: (api, sealKeys) => ask(() => trustedKeys(db, api, sealKeys)),
    hasKey: (id) => ask(() => db.prepare("SELECT 1 FROM keys WHERE id = ?").get(id) !== undefined),
    audit(sealKeys) {
      const sealer = new Sealer(sealKeys);
      return createAuditReads(db, new SealedReader(sealer, unreported), () => examineRecords(db, sealer));
    },
    close: () => db.close(),
  };
}

function trustedKeys(db: Database.Database, api: string, sealKeys: readonly SealKey[]): readonly Key[] {
  const rows = new SealedReader(new Sealer(sealKeys), unreported);
  const found = db.prepare<[string], SealedKeyRow>(
    `SELECT *, ${lastChangeSql("keys")} AS last_change FROM keys WHERE api = ?`,
  );
  return found.all(api).flatMap((row) => rows.ifTrusted(() => rows.key(row)) ?? []);
}

function orRefuse<Answer>(path: string, question: () => Answer): Answer {
  try {
    return question();
  } catch (error) {
    throw refusalOf(error, path);
  }
}

function missing(path: string): KeywardenError {
  return new KeywardenError({
    status: "FAILED_PRECONDITION",
    reason: "STORE_MISSING",
    message: `there is no store at ${path}: say where it is with --store (KEYWARDEN_STORE)`,
  });
}
