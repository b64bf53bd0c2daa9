import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { Store } from "../../src/ports/store.ts";
import { SEAL_KEY } from "../support/records.ts";
import { behindCache } from "./behind-cache.ts";
import { describeStore } from "./store-conformance.ts";
import type { OpenStore } from "./store-subject.ts";

describeStore("the memory store", async (settings) => {
  const store = createMemoryStore(settings);
  return { store, close: () => store.close() };
});

const openSqlite: OpenStore = async (settings) => {
  const directory = mkdtempSync(join(tmpdir(), "keywarden-store-"));
  const opened: Store[] = [];
  const open = async () => {
    const store = await openSqliteStore({
      ...settings,
      path: join(directory, "keywarden.db"),
      unlock: async () => [SEAL_KEY],
      onRefusedRow: fail,
      onWriterFailure: fail,
    });
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    async close() {
      for (const store of opened) await store.close();
      rmSync(directory, { recursive: true });
    },
  };
};

function fail(error: unknown): never {
  throw error;
}

describeStore("the SQLite store", openSqlite);

describeStore("the SQLite store behind the cache", async (settings) => {
  const { store, reopen, close } = await openSqlite(settings);
  return {
    store: behindCache(store),
    ...(reopen && { reopen: async () => behindCache(await reopen()) }),
    close,
  };
});
