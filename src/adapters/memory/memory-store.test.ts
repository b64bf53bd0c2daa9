import { expect, it } from "vitest";
import { committed, creation, digestOf } from "../../../test/conformance/store-subject.ts";
import { ENTRY, testApi } from "../../../test/support/records.ts";
import { createMemoryStore } from "./memory-store.ts";

/** A store whose steps wait until they are let through, one by one, by their labels. */
function steppedStore() {
  const waiting = new Map<string, () => void>();
  const store = createMemoryStore({
    onStep: (label) => new Promise<void>((resolve) => waiting.set(label, resolve)),
  });
  const pass = async (label: string) => {
    await expect.poll(() => waiting.has(label), { interval: 1 }).toBe(true);
    waiting.get(label)?.();
    waiting.delete(label);
  };
  return { store, pass };
}

it("a commit can be held up before it is made, and before it is acknowledged", async () => {
  const { store, pass } = steppedStore();
  const commit = store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  expect(await store.getApi(testApi().id)).toBeUndefined();
  await pass("commit asked");
  await expect.poll(() => store.version(), { interval: 1 }).toBe(1);
  expect(await store.getApi(testApi().id)).toBeDefined();
  await pass("commit made");
  expect(await commit).toEqual({ ok: true, revision: 1 });
});

it("a look-up can be held up before it is answered: it then says what was there before", async () => {
  const { store, pass } = steppedStore();
  const lookUp = store.findTokens([digestOf(1)]);
  await pass("tokens asked");
  await pass("tokens revision read");
  const commit = store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  await pass("commit asked");
  await pass("commit made");
  await commit;
  await pass("tokens value read");
  expect(await lookUp).toEqual({ revision: 0, value: [] });
});

it("closing waits for the commits that were begun", async () => {
  const { store, pass } = steppedStore();
  const order: string[] = [];
  const commit = store
    .commit({ kind: "create-api", api: testApi() }, ENTRY)
    .then(() => order.push("committed"));
  const close = store.close().then(() => order.push("closed"));
  await pass("commit asked");
  await pass("commit made");
  await Promise.all([commit, close]);
  expect(order).toEqual(["committed", "closed"]);
});

it("without steps nothing waits", async () => {
  const store = createMemoryStore();
  const revision = await committed(store, { kind: "create-api", api: testApi() });
  await committed(store, creation({ ...testApi(), revision }, 1));
  expect((await store.findTokens([digestOf(1)])).value).toHaveLength(1);
});
