import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { loadKeyring } from "../../src/adapters/secrets/load-keyring.ts";
import { createChangeWriter } from "../../src/adapters/sqlite/change-writer.ts";
import { openWriterConnection } from "../../src/adapters/sqlite/connection.ts";
import { ownObjects } from "../../src/adapters/sqlite/inspection-structure.ts";
import { digestToken, hashToken } from "../../src/domain/digest.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { Sealer } from "../../src/domain/seal.ts";
import { startKeywarden } from "../../test/support/keywarden-process.ts";
import { ENTRY } from "../../test/support/records.ts";
import { API, benchKey, benchToken, ENVIRONMENT, PREFIX } from "../requests/keys.ts";

/** Of the keys with rate limits, in every store. */
export interface LimitedTokens {
  /** Its one unit in 31 days is spent by the first call. */
  readonly spent: string;
  /** More than any load spends. */
  readonly roomy: string;
}

interface StoreOptions {
  readonly directory: string;
  /** The server's main file, relative to the root of the project. */
  readonly entry: string;
  /** How many benchmark keys it holds, from number 0. */
  readonly keys: number;
  readonly signal: AbortSignal;
}

/** Keys of one transaction: enough that its fsync costs nothing, few enough for a small log. */
const TRANSACTION = 20_000;
const MONTH_SECONDS = 31n * 24n * 60n * 60n;

/**
 * Makes a store: the server sets it up with its API and the limited keys; then the other keys are written into it by
 * the store's own writer, without a server around it.
 */
export async function makeStore({ directory, entry, keys, signal }: StoreOptions): Promise<LimitedTokens> {
  mkdirSync(directory, { mode: 0o700 });
  const server = await startKeywarden({ directory, entry });
  try {
    const admin = server.adminClient();
    await admin.createApi({
      api: { apiId: API, displayName: "Benchmark", tokenPrefix: PREFIX, environments: [ENVIRONMENT, "live"] },
    });
    const limited = async (quota: number, seconds: bigint): Promise<string> => {
      const { owner, displayName, scopes, allowedCidrs, metadata } = benchKey(0);
      const key = { api: API, environment: ENVIRONMENT, owner, displayName, metadata: { ...metadata } };
      const rateLimits = [{ name: "requests", quota, window: { seconds } }];
      const lists = { scopes: [...scopes], allowedCidrs: [...allowedCidrs], rateLimits };
      return (await admin.createKey({ key: { ...key, ...lists } })).token;
    };
    return { spent: await limited(1, MONTH_SECONDS), roomy: await limited(1_000_000, 1n) };
  } finally {
    await server.stop();
    await fill(directory, keys, signal);
  }
}

async function fill(directory: string, count: number, signal: AbortSignal): Promise<void> {
  const inDirectory = (name: string) =>
    ({ kind: "file", path: join(directory, name), madeWithStore: false }) as const;
  const { peppers, sealKeys } = await loadKeyring(
    { pepper: inDirectory("pepper"), sealKey: inDirectory("seal-key") },
    { pepperIds: [], sealKeyIds: [] },
  );
  const [pepper] = peppers;
  const db = openWriterConnection(join(directory, "keywarden.db"));
  try {
    // The keys of a transaction are spread over the whole tree of digests, which then had better be in memory.
    db.pragma("cache_size = -400000");
    const expectedApi = db
      .prepare<[string], Revision>("SELECT revision FROM apis WHERE id = ?")
      .pluck()
      .get(API);
    if (expectedApi === undefined) throw new Error("the store has not got its API");
    const writer = createChangeWriter(db, {
      sealer: new Sealer(sealKeys),
      schema: ownObjects(),
      onRefusedRow: fail,
    });
    for (let first = 0; first < count; first += TRANSACTION) {
      signal.throwIfAborted();
      db.exec("BEGIN IMMEDIATE");
      writer.begin();
      for (let number = first; number < Math.min(count, first + TRANSACTION); number++) {
        const digest = digestToken(hashToken(benchToken(number).reveal()), pepper);
        const token = { digest, pepperId: pepper.id, generation: 1 };
        const result = writer.make({ kind: "create-key", key: benchKey(number), token, expectedApi }, ENTRY);
        if (!result.ok) throw new Error(`key ${number} was not stored: ${result.conflict}`);
      }
      writer.finish();
      db.exec("COMMIT");
      await nextTurn();
    }
  } finally {
    db.close();
  }
}

function fail(error: Error): never {
  throw error;
}
