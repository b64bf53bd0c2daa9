import { LRUCache } from "lru-cache";
import type { Digest, TokenHash } from "../domain/digest.ts";
import type { KeyId } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { FoundToken, Freshness, VerificationReads } from "../ports/store.ts";
import { ApiDirectory } from "./api-directory.ts";

/** What a cache holds of a token: enough to decide, and the key whose change drops it. */
export interface CachedRecord {
  readonly key: { readonly id: KeyId };
}

/** Told what a cache does, for whoever counts it. */
export interface CacheWatch {
  /** A token was looked up. */
  looked(result: "hit" | "unknown" | "miss"): void;
  /** So many tokens are kept now. */
  holds(known: number, unknown: number): void;
}

interface FreshCacheOptions<Entry extends CachedRecord> {
  readonly store: Freshness & VerificationReads;
  /** How a token may be stored: its digest under each known pepper. */
  readonly digestsOf: (hash: TokenHash) => readonly Digest[];
  /** Compiles what was read, once. Null if it can't be trusted: its token is then as good as unknown. */
  readonly compile: (found: FoundToken, hash: TokenHash) => Entry | null;
  /** Tokens kept, at least 1. */
  readonly size: number;
  /** Unknown tokens kept apart, so that guesses cannot evict real keys; at least 1. */
  readonly unknownSize: number;
  readonly watch?: CacheWatch;
}

/** What a read brought. */
interface Landed<Entry> {
  readonly revision: Revision;
  /** Each token's record; null if no such token exists. */
  readonly records: ReadonlyMap<TokenHash, Entry | null>;
}

/**
 * Records of tokens, and the APIs, as fresh as the store itself: after `ensureFresh` everything here includes
 * every change that was acknowledged before it was called.
 *
 * Two rules make it so. What is cached is dropped when the change log names its key, before the version that
 * announced the change counts as seen. And what was read is used only if its snapshot is at least as new as
 * what its user, and what the cache, has already applied: a slow read cannot bring back what a change removed.
 */
export class FreshCache<Entry extends CachedRecord> {
  readonly #options: FreshCacheOptions<Entry>;
  readonly #known: LRUCache<TokenHash, Entry>;
  readonly #unknown: LRUCache<TokenHash, true>;
  readonly #hashesOfKey = new Map<KeyId, TokenHash[]>();
  readonly #flights = new Map<TokenHash, Promise<Landed<Entry>>>();
  #apis = new ApiDirectory([]);
  #version: number | undefined;
  #revision = 0 as Revision;
  #catchingUp: { readonly version: number; readonly done: Promise<void> } | undefined;
  #next: Promise<void> | undefined;

  constructor(options: FreshCacheOptions<Entry>) {
    this.#options = options;
    this.#known = new LRUCache({
      max: options.size,
      dispose: (entry, hash) => this.#forget(entry.key.id, hash),
    });
    this.#unknown = new LRUCache({ max: options.unknownSize });
  }

  /** The APIs as of the last `ensureFresh`. */
  get apis(): ApiDirectory {
    return this.#apis;
  }

  /** Every change up to this revision has been applied. */
  get revision(): Revision {
    return this.#revision;
  }

  /**
   * Brings the cache up to every change acknowledged before this call. Undefined: it is already, which is
   * known at once; else a promise that rejects with UNAVAILABLE where the store can't be asked.
   * Throws what the store's `version()` throws.
   */
  ensureFresh(): Promise<void> | undefined {
    const version = this.#options.store.version();
    if (version === this.#version) return undefined;
    if (this.#catchingUp === undefined) return this.#startCatchingUp(version);
    if (this.#catchingUp.version === version) return this.#catchingUp.done;
    // What is under way began too early for us. One more after it serves all who wait by then.
    this.#next ??= this.#catchingUp.done
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.ensureFresh();
      });
    return this.#next;
  }

  /** The token's record; null if it is known not to exist; undefined if it has to be loaded. */
  get(hash: TokenHash): Entry | null | undefined {
    const known = this.#known.get(hash);
    if (known !== undefined) {
      this.#options.watch?.looked("hit");
      return known;
    }
    const isUnknown = this.#unknown.get(hash) === true;
    this.#options.watch?.looked(isUnknown ? "unknown" : "miss");
    return isUnknown ? null : undefined;
  }

  /**
   * Reads these tokens in one question to the store, sharing reads that are under way. The answers include every
   * change up to `this.revision` as of the call. Rejects with UNAVAILABLE where the store can't be asked.
   */
  async load(hashes: ReadonlySet<TokenHash>): Promise<ReadonlyMap<TokenHash, Entry | null>> {
    const needed = this.#revision;
    const records = new Map<TokenHash, Entry | null>();
    const late = new Set(hashes);
    const take = (landed: Landed<Entry>) => {
      if (landed.revision < needed) return;
      for (const [hash, record] of landed.records) if (late.delete(hash)) records.set(hash, record);
    };
    for (const landed of await Promise.all(this.#join(hashes))) take(landed);
    if (late.size === 0) return records;
    // A read that we joined may have begun before the changes that we have to see. One of our own can't have.
    take(await this.#depart(late));
    if (late.size === 0) return records;
    throw new KeywardenError({
      status: "UNAVAILABLE",
      reason: "STORE_UNAVAILABLE",
      message: `the store answered as of an older revision than ${needed}, which it had reached before`,
    });
  }

  #startCatchingUp(version: number): Promise<void> {
    const done = this.#catchUp(version).finally(() => {
      this.#catchingUp = undefined;
    });
    this.#catchingUp = { version, done };
    return done;
  }

  async #catchUp(version: number): Promise<void> {
    const { store } = this.#options;
    const changes = await store.changesSince(this.#revision);
    const first = this.#version === undefined;
    const apis = first || changes.apis || !changes.complete ? await store.allApis() : undefined;
    if (apis !== undefined) this.#apis = new ApiDirectory(apis.value);
    if (changes.complete) for (const id of changes.keyIds) this.#drop(id);
    else this.#known.clear();
    if (changes.tokens || !changes.complete) this.#unknown.clear();
    this.#revision = changes.revision;
    this.#version = version;
    this.#tellSizes();
  }

  /** The reads that bring these tokens: those under way, and one new one for the rest. */
  #join(hashes: ReadonlySet<TokenHash>): ReadonlySet<Promise<Landed<Entry>>> {
    const flights = new Set<Promise<Landed<Entry>>>();
    const grounded = new Set<TokenHash>();
    for (const hash of hashes) {
      const flight = this.#flights.get(hash);
      if (flight === undefined) grounded.add(hash);
      else flights.add(flight);
    }
    if (grounded.size > 0) flights.add(this.#depart(grounded));
    return flights;
  }

  #depart(hashes: ReadonlySet<TokenHash>): Promise<Landed<Entry>> {
    const flight = this.#fetch(hashes).finally(() => {
      for (const hash of hashes) if (this.#flights.get(hash) === flight) this.#flights.delete(hash);
    });
    for (const hash of hashes) this.#flights.set(hash, flight);
    return flight;
  }

  async #fetch(hashes: ReadonlySet<TokenHash>): Promise<Landed<Entry>> {
    const hashOf = new Map<Digest, TokenHash>();
    for (const hash of hashes) for (const digest of this.#options.digestsOf(hash)) hashOf.set(digest, hash);
    const { revision, value } = await this.#options.store.findTokens([...hashOf.keys()]);
    const records = new Map<TokenHash, Entry | null>();
    for (const found of value) {
      const hash = hashOf.get(found.digest);
      if (hash !== undefined) records.set(hash, this.#options.compile(found, hash));
    }
    if (revision >= this.#revision) for (const hash of hashes) this.#keep(hash, records.get(hash));
    this.#tellSizes();
    for (const hash of hashes) if (!records.has(hash)) records.set(hash, null);
    return { revision, records };
  }

  /** Undefined: no such token exists. Null: it cannot be trusted, which a change of its key may end. */
  #keep(hash: TokenHash, record: Entry | null | undefined): void {
    if (record === undefined) this.#unknown.set(hash, true);
    if (!record) return;
    this.#known.set(hash, record);
    const hashes = this.#hashesOfKey.get(record.key.id);
    if (hashes === undefined) this.#hashesOfKey.set(record.key.id, [hash]);
    else hashes.push(hash);
  }

  #tellSizes(): void {
    this.#options.watch?.holds(this.#known.size, this.#unknown.size);
  }

  #drop(id: KeyId): void {
    for (const hash of this.#hashesOfKey.get(id) ?? []) this.#known.delete(hash);
  }

  #forget(id: KeyId, hash: TokenHash): void {
    const rest = this.#hashesOfKey.get(id)?.filter((other) => other !== hash);
    if (rest === undefined || rest.length === 0) this.#hashesOfKey.delete(id);
    else this.#hashesOfKey.set(id, rest);
  }
}
