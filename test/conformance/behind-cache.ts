import { FreshCache } from "../../src/app/fresh-cache.ts";
import type { Digest, TokenHash } from "../../src/domain/digest.ts";
import type { FoundToken, Store } from "../../src/ports/store.ts";
import { overrideStore } from "../support/override-store.ts";

/** The store with its tokens read through the cache that verifications use, which is so small that it evicts. */
export function behindCache(store: Store): Store {
  const cache = new FreshCache<FoundToken>({
    store,
    // The cache knows tokens by their hash. Here, where there are only digests, one stands for the other.
    digestsOf: (hash) => [hash as string as Digest],
    compile: (found) => found,
    size: 3,
    unknownSize: 3,
  });
  return overrideStore(store, {
    async findTokens(digests) {
      await cache.ensureFresh();
      const { revision } = cache;
      const missing = new Set<TokenHash>();
      const records: (FoundToken | null)[] = [];
      for (const digest of new Set(digests)) {
        const hash = digest as string as TokenHash;
        const record = cache.get(hash);
        if (record === undefined) missing.add(hash);
        else records.push(record);
      }
      if (missing.size > 0) records.push(...(await cache.load(missing)).values());
      return { revision, value: records.filter((record) => record !== null) };
    },
  });
}
