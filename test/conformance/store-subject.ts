import { hash } from "node:crypto";
import { afterEach, beforeEach } from "vitest";
import type { Api } from "../../src/domain/api.ts";
import type { Digest, PepperId } from "../../src/domain/digest.ts";
import type { Key } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { Change, CommitResult, NewToken, Store } from "../../src/ports/store.ts";
import { ENTRY, testApi, testKey, testKeyId } from "../support/records.ts";

/** What a suite asks of a store that it opens. */
interface StoreSettings {
  readonly now: () => number;
}

interface OpenedStore {
  readonly store: Store;
  /** Opens what a store that was closed has left; missing if it leaves nothing. */
  readonly reopen?: () => Promise<Store>;
  /** Closes what is open and removes everything. */
  close(): Promise<void>;
}

export type OpenStore = (settings: StoreSettings) => Promise<OpenedStore>;

export const NOW = 1_800_000_000_000;
export const PEPPER = "pepper-1" as PepperId;

/** A store that is new in each test, with the one API of the test records. */
export interface Subject {
  readonly store: Store;
  readonly reopen: OpenedStore["reopen"];
  /** As stored. */
  readonly api: Api;
}

/** Opens a store before each test of the suite that calls it, and closes it afterwards. */
export function subjectOf(open: OpenStore): Subject {
  let opened: OpenedStore;
  let api: Api;
  beforeEach(async () => {
    opened = await open({ now: () => NOW });
    const revision = await committed(opened.store, { kind: "create-api", api: testApi() });
    api = { ...testApi(), revision };
  });
  afterEach(() => opened.close());
  return {
    get store() {
      return opened.store;
    },
    get reopen() {
      return opened.reopen;
    },
    get api() {
      return api;
    },
  };
}

/** The revision of a change that must be possible. */
export async function committed(store: Store, change: Change): Promise<Revision> {
  const result = await store.commit(change, ENTRY);
  if (!result.ok) throw new Error(`${change.kind} was refused: ${result.conflict}`);
  return result.revision;
}

/** The digest of the test token of this name. */
export function digestOf(name: string | number): Digest {
  return hash("sha256", String(name), "binary") as Digest;
}

export function newToken(name: string | number, fields: Partial<NewToken> = {}): NewToken {
  return { digest: digestOf(name), pepperId: PEPPER, generation: 1, ...fields };
}

/** Creates the test key of this number, with the test token of the same number. */
export function creation(
  api: Api,
  number: number,
  fields: Partial<Key> = {},
): Extract<Change, { kind: "create-key" }> {
  const key = testKey({ id: testKeyId(number), api: api.id, ...fields });
  return { kind: "create-key", key, token: newToken(number), expectedApi: api.revision };
}

/** The key of `creation`, as stored. */
export async function storedKey(
  { store, api }: Subject,
  number: number,
  fields: Partial<Key> = {},
): Promise<Key> {
  const change = creation(api, number, fields);
  return { ...change.key, revision: await committed(store, change) };
}

export function refused(conflict: Extract<CommitResult, { ok: false }>["conflict"]): CommitResult {
  return { ok: false, conflict };
}
