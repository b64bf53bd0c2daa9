import { beforeEach } from "vitest";
import { createMemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { FreshCache } from "../../src/app/fresh-cache.ts";
import type { VerifyRequest } from "../../src/app/verification.ts";
import { KeyVerifier } from "../../src/app/verify-key.ts";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import { createPepper, digestToken, hashToken } from "../../src/domain/digest.ts";
import { compileKey, type Key, type KeyRecord } from "../../src/domain/key.ts";
import type { Reason } from "../../src/domain/reason.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { generateToken } from "../../src/domain/token.ts";
import type { Store } from "../../src/ports/store.ts";
import { testLedgers } from "./ledgers.ts";
import { overrideStore } from "./override-store.ts";
import { question } from "./question.ts";
import { ENTRY, testApi, testKey, testKeyId } from "./records.ts";

/** A verifier over a store in memory with the APIs `orders` and `other`, and what it did. Tests may put others in their place. */
export interface VerifierOfTest {
  store: Store;
  verifier: KeyVerifier;
  /** Milliseconds since the epoch. */
  now: number;
  /** That nobody foresaw. */
  errors: unknown[];
  /** How often the store was asked about tokens, and whether it has changed. */
  reads: number;
  checks: number;
  ask(request: Partial<VerifyRequest>): Promise<Reason>;
  /** A token of this API's and environment's shape, which nobody has issued. */
  unknownToken(prefix?: string, environment?: string): string;
  /** Stores a key and gives its token. */
  stored(fields?: Partial<Key>): Promise<{ key: Key; token: string }>;
  /** Stores a key with this token. */
  keep(token: string, fields: Partial<Key>): Promise<Key>;
  /** Another verifier, over this store. It trusts no key of the owner `tampered`. */
  build(store: Store, environment?: string): KeyVerifier;
}

/** A new one for each test. */
export function verifierPerTest(): VerifierOfTest {
  const pepper = createPepper(Buffer.alloc(32, 3));
  let seed = 0;
  const bytes = (n: number) => Uint8Array.from({ length: n }, (_, index) => (index * 7 + seed++) % 256);
  let apiRevision: Revision;

  const build = (store: Store, environment?: string) =>
    new KeyVerifier({
      cache: new FreshCache<KeyRecord>({
        store,
        digestsOf: (hash) => [digestToken(hash, pepper)],
        compile: ({ key, generation }) => (key.owner === "tampered" ? null : compileKey(key, generation)),
        size: 100,
        unknownSize: 100,
      }),
      ...testLedgers(),
      environment: environment as Environment | undefined,
      now: () => own.now,
      onInternalError: (error) => own.errors.push(error),
    });

  function newStore(): Store {
    const memory = createMemoryStore({ now: () => own.now });
    return overrideStore(memory, {
      findTokens: (digests) => {
        own.reads++;
        return memory.findTokens(digests);
      },
      version: () => {
        own.checks++;
        return memory.version();
      },
    });
  }

  const unknownToken = (prefix = "ord", environment = "test") =>
    generateToken(prefix, environment, bytes).reveal();

  async function keep(token: string, fields: Partial<Key>): Promise<Key> {
    const key = testKey({ id: testKeyId(seed++), ...fields });
    const digest = digestToken(hashToken(token), pepper);
    const result = await own.store.commit(
      {
        kind: "create-key",
        key,
        token: { digest, pepperId: pepper.id, generation: 1 },
        expectedApi: apiRevision,
      },
      ENTRY,
    );
    if (!result.ok) throw new Error(result.conflict);
    return { ...key, revision: result.revision };
  }

  const fresh = () => ({ now: 1_000_000, errors: [], reads: 0, checks: 0 });
  const store = newStore();
  const own: VerifierOfTest = {
    ...fresh(),
    store,
    verifier: build(store),
    ask: async (request) => (await own.verifier.verifyOne(question(request))).decision.reason,
    unknownToken,
    async stored(fields = {}) {
      const token = unknownToken("ord", fields.environment);
      return { key: await keep(token, fields), token };
    },
    keep,
    build,
  };

  beforeEach(async () => {
    Object.assign(own, fresh());
    own.store = newStore();
    own.verifier = build(own.store);
    const api = testApi({ importedTokenShapes: [{ prefix: "legacy-", minLength: 20, maxLength: 40 }] });
    const result = await own.store.commit({ kind: "create-api", api }, ENTRY);
    if (!result.ok) throw new Error(result.conflict);
    apiRevision = result.revision;
    const other = { id: "other" as ApiId, tokenPrefix: "oth", environments: ["test" as Environment] };
    await own.store.commit({ kind: "create-api", api: testApi(other) }, ENTRY);
  });
  return own;
}
