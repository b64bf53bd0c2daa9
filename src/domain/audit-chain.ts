import { hash } from "node:crypto";
import type { ApiId } from "./api.ts";
import type { Brand } from "./brand.ts";
import type { KeyId } from "./key.ts";
import type { Revision } from "./revision.ts";

/** SHA-256 in hexadecimal. */
export type EventHash = Brand<string, "EventHash">;

/**
 * Who made a change. CREDENTIAL: whoever presented this credential. HOLDER: whoever presented the token of this key
 * itself. MACHINE: a command on the server's machine. SYSTEM: Keywarden of its own accord.
 */
export interface Actor {
  readonly kind: "CREDENTIAL" | "HOLDER" | "MACHINE" | "SYSTEM";
  /** Of the credential or key; null for the other kinds. */
  readonly keyId: KeyId | null;
  /** The peer's address; empty where there is none. */
  readonly ip: string;
}

/** What was done, by the names of the calls that do it; Restore: a backup took the place of the store, on its machine. */
export const AUDIT_ACTIONS = [
  "CreateApi",
  "UpdateApi",
  "DeleteApi",
  "CreateKey",
  "UpdateKey",
  "RotateKey",
  "EndGrace",
  "RevokeKey",
  "DisableKey",
  "EnableKey",
  "ImportKeys",
  "Restore",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Fields of a record by name; never a secret. */
export type AuditedFields = Readonly<Record<string, unknown>>;

/** One change, as the audit keeps it. Its number is the revision that the change got: they are one. */
export interface AuditEvent {
  readonly revision: Revision;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly action: AuditAction;
  readonly actor: Actor;
  /** The request_id of the call; empty if it had none. */
  readonly requestId: string;
  /** Of the key or API that was changed; of an import, of the import. */
  readonly recordId: string;
  readonly recordKind: "api" | "key" | "import";
  /** Does a token exist by it that did not before? */
  readonly addsToken: boolean;
  /** The API that the record is, or belongs to. */
  readonly api: ApiId | "";
  /** The fields that differ, as JSON; null: the record was not there before, or is not there afterwards. */
  readonly before: string | null;
  readonly after: string | null;
  /** Of this event and the one before it. */
  readonly hash: EventHash;
}

/** What a cache has to know of a change. */
export type LoggedChange = Pick<AuditEvent, "recordKind" | "recordId" | "addsToken">;

/** What the chain begins with. */
export const CHAIN_START = "0".repeat(64) as EventHash;

/** The event at the end of a chain whose last hash was `previous`. */
export function chained(event: Omit<AuditEvent, "hash">, previous: EventHash): AuditEvent {
  return { ...event, hash: hashOf(event, previous) };
}

/** Follows no event: stands for the hash of the last one where nobody knows any more which one that was. */
export const UNKNOWN_END = "unknown" as EventHash;

/** What is wrong with the audit or with what it vouches for, and where. */
export interface ChainProblem {
  readonly kind: "EDITED" | "MISSING" | "TRUNCATED" | "FORGED" | "RECORDS" | "SCHEMA";
  /** Where it shows: the event's revision, or the first that is missing. */
  readonly revision: Revision;
  /** In words. */
  readonly message: string;
}

/** Where a chain ends: the revision and hash of its last event. Revision 0 and CHAIN_START: it is empty. */
export interface ChainHead {
  readonly revision: Revision;
  readonly hash: EventHash;
}

/** The empty chain's end. */
export const CHAIN_ORIGIN: ChainHead = { revision: 0 as Revision, hash: CHAIN_START };

/**
 * The problem that this event shows after the one at `last`, which is where the chain ended before it; undefined if there
 * is none. Asked of each event in order, it finds each change of an event, each missing, moved and added one.
 */
export function chainProblem(last: ChainHead, event: AuditEvent): ChainProblem | undefined {
  const { revision } = event;
  if (revision > last.revision + 1) {
    const first = (last.revision + 1) as Revision;
    const range = revision === first + 1 ? `event ${first} is` : `events ${first} to ${revision - 1} are`;
    return { kind: "MISSING", revision: first, message: `${range} missing` };
  }
  if (follows(event, last.hash)) return undefined;
  if (follows(event, UNKNOWN_END)) {
    const message = `the record of where the audit ended was forged before event ${revision}: it follows no other`;
    return { kind: "FORGED", revision, message };
  }
  const message = `event ${revision} is not what was written, or follows another event than it did`;
  return { kind: "EDITED", revision, message };
}

/** Is the event what was written, after one of this hash? */
export function follows(event: AuditEvent, previous: EventHash): boolean {
  return hashOf(event, previous) === event.hash;
}

/** The fields of either record that the other has not, or has with another value; times of the change itself left out. */
export function differences(
  before: AuditedFields | null,
  after: AuditedFields | null,
): { readonly before: string | null; readonly after: string | null } {
  const fields = Object.keys({ ...before, ...after })
    .filter((name) => !IMPLIED.has(name))
    .filter((name) => isDifferent(before?.[name], after?.[name]))
    .toSorted();
  return { before: picked(before, fields), after: picked(after, fields) };
}

function isDifferent(before: unknown, after: unknown): boolean {
  if (before === after) return false;
  // Only of two lists or maps, what is in them matters.
  const areObjects = typeof before === "object" && typeof after === "object";
  return !areObjects || JSON.stringify(before) !== JSON.stringify(after);
}

/** What the event itself says. */
const IMPLIED: ReadonlySet<string> = new Set(["revision", "updateTime"]);

function picked(record: AuditedFields | null, fields: readonly string[]): string | null {
  return record === null
    ? null
    : JSON.stringify(Object.fromEntries(fields.map((name) => [name, record[name]])));
}

function hashOf(event: Omit<AuditEvent, "hash">, previous: EventHash): EventHash {
  const { revision, time, action, actor, requestId, recordId, recordKind, addsToken, api, before, after } =
    event;
  const { kind, keyId, ip } = actor;
  const record = [recordKind, recordId, addsToken, api, before, after];
  const values = [previous, revision, time, action, kind, keyId, ip, requestId, ...record];
  return hash("sha256", JSON.stringify(values), "hex") as EventHash;
}
