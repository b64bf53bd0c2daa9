import { beforeEach, expect, it } from "vitest";
import { overrideStore } from "../../test/support/override-store.ts";
import { ENTRY, testApi, testKey, testKeyId } from "../../test/support/records.ts";
import { createMemoryStore } from "../adapters/memory/memory-store.ts";
import type { Digest, PepperId, TokenHash } from "../domain/digest.ts";
import type { Key } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import type { FoundToken, Store } from "../ports/store.ts";
import { FreshCache } from "./fresh-cache.ts";

let store: Store;
let apiRevision: Revision;
/** What a read does before its answer arrives. */
let beforeArrival: () => Promise<void>;
let questions: string[];

const hash = (name: string) => name.padEnd(32, ".") as TokenHash;

function cached(wrapped: Store = store, size = 100): FreshCache<FoundToken> {
  return new FreshCache({
    store: wrapped,
    // As good as any other digest here.
    digestsOf: (tokenHash) => [`${tokenHash}` as unknown as Digest],
    compile: (found) => (found.key.owner === "untrusted" ? null : found),
    size,
    unknownSize: 100,
  });
}

async function create(name: string, fields: Partial<Key> = {}): Promise<Key> {
  const key = testKey({ id: testKeyId(name.charCodeAt(0)), ...fields });
  const token = { digest: `${hash(name)}` as unknown as Digest, pepperId: "p" as PepperId, generation: 1 };
  const result = await store.commit({ kind: "create-key", key, token, expectedApi: apiRevision }, ENTRY);
  if (!result.ok) throw new Error(result.conflict);
  return { ...key, revision: result.revision };
}

async function rename(key: Key, displayName: string): Promise<void> {
  const result = await store.commit(
    {
      kind: "update-key",
      key: { ...key, displayName },
      expected: key.revision,
    },
    ENTRY,
  );
  if (!result.ok) throw new Error(result.conflict);
}

async function read(cache: FreshCache<FoundToken>, name: string): Promise<string | null> {
  await cache.ensureFresh();
  const known = cache.get(hash(name));
  const found = known === undefined ? (await cache.load(new Set([hash(name)]))).get(hash(name)) : known;
  return found?.key.displayName ?? null;
}

beforeEach(async () => {
  beforeArrival = async () => {};
  questions = [];
  const memory = createMemoryStore({ now: () => 1_000 });
  store = overrideStore(memory, {
    findTokens: async (digests) => {
      questions.push(digests.map((digest) => digest.slice(0, 1)).join(""));
      const found = await memory.findTokens(digests);
      await beforeArrival();
      return found;
    },
  });
  const result = await store.commit({ kind: "create-api", api: testApi() }, ENTRY);
  if (!result.ok) throw new Error(result.conflict);
  apiRevision = result.revision;
});

it("asks the store once for a token, known or not, until it changes", async () => {
  const cache = cached();
  const key = await create("a", { displayName: "one" });
  for (let turn = 0; turn < 3; turn++) {
    expect(await read(cache, "a")).toBe("one");
    expect(await read(cache, "b")).toBeNull();
  }
  expect(questions).toEqual(["a", "b"]);
  await rename(key, "two");
  expect(await read(cache, "a")).toBe("two");
  expect(await read(cache, "b")).toBeNull();
  expect(questions).toEqual(["a", "b", "a"]);
});

it("asks anew about what was unknown once a token was added", async () => {
  const cache = cached();
  expect(await read(cache, "a")).toBeNull();
  await create("a", { displayName: "new" });
  expect(await read(cache, "a")).toBe("new");
});

it("never keeps what cannot be trusted", async () => {
  const cache = cached();
  await create("a", { owner: "untrusted" });
  await read(cache, "a");
  await read(cache, "a");
  expect(questions).toEqual(["a", "a"]);
});

it("forgets everything if the change log no longer reaches back", async () => {
  const cache = cached();
  const key = await create("a", { displayName: "one" });
  expect(await read(cache, "a")).toBe("one");
  expect(await read(cache, "z")).toBeNull();
  await rename(key, "two");
  for (let number = 0; number < 10; number++) await create(String.fromCharCode(100 + number));
  expect(await read(cache, "a")).toBe("two");
  expect(await read(cache, "z")).toBeNull();
});

it("drops only what changed, also after other tokens were evicted", async () => {
  const cache = cached(store, 2);
  const keys = new Map<string, Key>();
  for (const name of ["a", "b", "c", "d"]) keys.set(name, await create(name, { displayName: name }));
  for (const name of ["a", "b", "c", "d"]) await read(cache, name);
  questions = [];
  await rename(keys.get("a")!, "A");
  await rename(keys.get("d")!, "D");
  expect(await read(cache, "c")).toBe("c");
  expect(await read(cache, "d")).toBe("D");
  expect(await read(cache, "a")).toBe("A");
  expect(questions).toEqual(["d", "a"]);
});

it("shares a read that is under way, and asks for the rest only", async () => {
  const cache = cached();
  await create("a", { displayName: "a" });
  await create("b", { displayName: "b" });
  await cache.ensureFresh();
  const [first, second] = await Promise.all([
    cache.load(new Set([hash("a")])),
    cache.load(new Set([hash("a"), hash("b")])),
  ]);
  expect(first.get(hash("a"))).toBe(second.get(hash("a")));
  expect(second.get(hash("b"))?.key.displayName).toBe("b");
  expect(questions).toEqual(["a", "b"]);
});

it("does not take, nor keep, what a slow read brings of before a change", async () => {
  const cache = cached();
  const key = await create("a", { displayName: "old" });
  await cache.ensureFresh();
  const arrival = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  beforeArrival = () => {
    taken.resolve();
    return arrival.promise;
  };
  const slow = cache.load(new Set([hash("a")]));
  await taken.promise;
  await rename(key, "new");
  await cache.ensureFresh();
  beforeArrival = async () => {};
  const joined = cache.load(new Set([hash("a")]));
  arrival.resolve();
  // The first asked before the change was made, the second after it.
  expect((await slow).get(hash("a"))?.key.displayName).toBe("old");
  expect((await joined).get(hash("a"))?.key.displayName).toBe("new");
  expect(await read(cache, "a")).toBe("new");
});

it("fails if the store answers as of before what it had answered already", async () => {
  const key = await create("a");
  const cache = cached(
    overrideStore(store, {
      findTokens: async () => ({ revision: (key.revision - 1) as Revision, value: [] }),
    }),
  );
  await cache.ensureFresh();
  await expect(cache.load(new Set([hash("a")]))).rejects.toMatchObject({ status: "UNAVAILABLE" });
});

it("catches up once for all who wait, and once more for those who came while it was under way", async () => {
  const asked: number[] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const cache = cached(
    overrideStore(store, {
      changesSince: async (revision) => {
        asked.push(revision);
        const changes = store.changesSince(revision);
        const answer = Promise.withResolvers<void>();
        answers.push(answer);
        await answer.promise;
        return changes;
      },
    }),
  );
  const first = [cache.ensureFresh(), cache.ensureFresh()];
  await create("a");
  const second = [cache.ensureFresh(), cache.ensureFresh()];
  expect(asked).toHaveLength(1);
  answers[0]!.resolve();
  await Promise.all(first);
  await expect.poll(() => answers.length).toBe(2);
  answers[1]!.resolve();
  await Promise.all(second);
  expect(asked).toEqual([0, 1]);
  expect(cache.ensureFresh()).toBeUndefined();
});
