import { expect, it } from "vitest";
import { totalOf } from "../../../test/support/exposition.ts";
import { overrideStore } from "../../../test/support/override-store.ts";
import { testApi } from "../../../test/support/records.ts";
import type { Store } from "../../ports/store.ts";
import { createMemoryStore } from "../memory/memory-store.ts";
import { countedReads, countedStore } from "./counted-store.ts";
import { Metrics } from "./metrics.ts";

const ENTRY: Parameters<Store["commit"]>[1] = {
  action: "CreateApi",
  actor: { kind: "SYSTEM", keyId: null, ip: "" },
  requestId: "",
  time: 0,
  before: null,
};

function opened(override: Partial<Store> = {}) {
  const metrics = new Metrics({ version: "1.2.3" });
  const store = overrideStore(createMemoryStore({ now: () => 0 }), override);
  const total = async (name: string, labels = {}) => totalOf((await metrics.exposition()).text, name, labels);
  return { metrics, store, total };
}

it("changes are counted by what became of them, and the revision is told", async () => {
  const { metrics, store, total } = opened();
  const counted = countedStore(store, metrics);
  await counted.commit({ kind: "create-api", api: testApi() }, ENTRY);
  await counted.commit({ kind: "create-api", api: testApi() }, ENTRY);
  const change = "create-api";
  expect(await total("keywarden_commits_total", { change, outcome: "ok" })).toBe(1);
  expect(await total("keywarden_commits_total", { change, outcome: "EXISTS" })).toBe(1);
  expect(await total("keywarden_commit_duration_seconds_count")).toBe(2);
  expect(await total("keywarden_store_revision")).toBe(1);
});

it("a change that the store could not make is counted as failed, and fails as before", async () => {
  const { metrics, store, total } = opened({ commit: () => Promise.reject(new Error("no disk")) });
  const counted = countedStore(store, metrics);
  await expect(counted.commit({ kind: "create-api", api: testApi() }, ENTRY)).rejects.toThrow("no disk");
  expect(await total("keywarden_commits_total", { outcome: "failed" })).toBe(1);
});

it("what verifications ask is counted, and answered as before", async () => {
  const { metrics, store, total } = opened();
  const reads = countedReads(store, metrics.main);
  expect(reads.version()).toBe(store.version());
  expect(await reads.findTokens([])).toEqual(await store.findTokens([]));
  await reads.allApis();
  await reads.changesSince((await store.allApis()).revision);
  for (const read of ["tokens", "apis", "changes"]) {
    expect(await total("keywarden_store_reads_total", { read })).toBe(1);
  }
  expect(await total("keywarden_store_read_failures_total")).toBe(0);
});

it("what the store does not answer is counted as a failure, and fails as before", async () => {
  const refuse = () => Promise.reject(new Error("no answer"));
  const { metrics, store, total } = opened({
    findTokens: refuse,
    version() {
      throw new Error("no version");
    },
  });
  const reads = countedReads(store, metrics.main);
  await expect(reads.findTokens([])).rejects.toThrow("no answer");
  expect(() => reads.version()).toThrow("no version");
  expect(await total("keywarden_store_read_failures_total")).toBe(2);
});
