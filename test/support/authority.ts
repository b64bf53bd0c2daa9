import { createSecretKey, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { createMemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { AdminParts } from "../../src/app/admin-parts.ts";
import { createApi } from "../../src/app/create-api.ts";
import { type CreateKeyInput, createKey } from "../../src/app/create-key.ts";
import { DecisionExplainer } from "../../src/app/decision-explainer.ts";
import { FreshCache } from "../../src/app/fresh-cache.ts";
import { issueToken } from "../../src/app/issue-token.ts";
import { PageTokens } from "../../src/app/page-tokens.ts";
import type { VerifyRequest } from "../../src/app/verification.ts";
import { KeyVerifier } from "../../src/app/verify-key.ts";
import type { Api, ApiId, Environment } from "../../src/domain/api.ts";
import { CheckpointKeys } from "../../src/domain/audit-checkpoint.ts";
import { createPepper, digestToken } from "../../src/domain/digest.ts";
import { compileKey, type Key, type KeyId, type KeyRecord } from "../../src/domain/key.ts";
import type { Reason } from "../../src/domain/reason.ts";
import type { Store } from "../../src/ports/store.ts";
import { testLedgers } from "./ledgers.ts";
import { question } from "./question.ts";
import { ENTRY, SEAL_KEY, testApi, testKey } from "./records.ts";

/** A whole authority in memory: the real use cases and verifier, with a clock that tests set. */
export interface Authority {
  readonly parts: AdminParts;
  readonly clock: { now: number };
  readonly api: Api;
  readonly verifier: KeyVerifier;
  /** Of what the verifier decides. */
  readonly explainer: DecisionExplainer;
  /** Puts a key into the store as it is, whatever API it is of, and gives its token. */
  store(fields: Partial<Key>): Promise<string>;
  /** Asks about this token, in the environment `test` and for any scope unless the request says otherwise. */
  verify(token: string, request?: Partial<VerifyRequest>): Promise<Reason>;
  /** A key of the API `orders` in `test`, and its token. */
  key(input?: Partial<CreateKeyInput>): Promise<{ key: Key; token: string }>;
}

export async function createAuthority(
  wrap: (store: Store) => Store = (store) => store,
  failureBudget: { readonly perMinute?: number } = {},
): Promise<Authority> {
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const pepper = createPepper(randomBytes(32));
  const store = wrap(createMemoryStore({ now }));
  const parts: AdminParts = {
    store,
    pepper,
    formerPeppers: [],
    pageTokens: new PageTokens(createSecretKey(randomBytes(32))),
    checkpointKeys: new CheckpointKeys([SEAL_KEY]),
    caller: { actor: { kind: "MACHINE", keyId: null, ip: "" }, credential: null, requestId: "" },
    now,
    randomBytes,
    newKeyId: () => uuidv7() as KeyId,
  };
  const cache = new FreshCache<KeyRecord>({
    store,
    digestsOf: (hash) => [digestToken(hash, pepper)],
    compile: ({ key, generation }) => compileKey(key, generation),
    size: 1000,
    unknownSize: 1000,
  });
  const engine = { cache, ...testLedgers(failureBudget), environment: undefined, now };
  const verifier = new KeyVerifier({
    ...engine,
    onInternalError: (error) => {
      throw error;
    },
  });
  await store.commit({ kind: "create-api", api: BUILT_IN }, ENTRY);
  return {
    parts,
    clock,
    verifier,
    explainer: new DecisionExplainer(engine),
    store: async (fields) => {
      const key = testKey({ id: parts.newKeyId(), ...fields });
      const api = await store.getApi(key.api);
      if (api === undefined) throw new Error(`no API ${key.api}`);
      const { token, stored } = issueToken(parts, { ...key, prefix: api.tokenPrefix });
      const result = await store.commit(
        {
          kind: "create-key",
          key,
          token: stored,
          expectedApi: api.revision,
        },
        ENTRY,
      );
      if (!result.ok) throw new Error(result.conflict);
      return token.reveal();
    },
    api: await createApi(parts, testApi()),
    verify: async (token, request = {}) => {
      const { decision } = await verifier.verifyOne(question({ token, ...request }));
      return decision.reason;
    },
    key: async (input = {}) => {
      const issued = await createKey(parts, { ...KEY, ...input }, "");
      if (issued.replayed) throw new Error("a new key is no replay");
      return { key: issued.key, token: issued.token.reveal() };
    },
  };
}

const BUILT_IN = testApi({
  id: "keywarden" as ApiId,
  tokenPrefix: "kw",
  environments: ["live" as Environment],
});

/** The least that a new key needs. */
export const KEY: CreateKeyInput = {
  api: "orders",
  environment: "test",
  owner: "acct_1",
  displayName: "",
  scopes: [],
  allowedCidrs: [],
  rateLimits: [],
  metadata: {},
  binding: null,
  expiration: undefined,
};
