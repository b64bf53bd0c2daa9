import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Api, ApiId, Environment } from "../../src/domain/api.ts";
import type { Key, KeyId } from "../../src/domain/key.ts";
import type { KeyFilter, Store } from "../../src/ports/store.ts";
import { testApi } from "../support/records.ts";
import { environment, state } from "./store-arbitraries.ts";
import { committed, creation, type OpenStore, subjectOf } from "./store-subject.ts";

/** Text whose order by UTF-16 units, which JavaScript compares, is not that by bytes of UTF-8. */
const AWKWARD = ["", "a", "B", "_", "é", "\uFF61", "\uFFFD", "\u{10000}", "\u{1F511}"];

const owner = fc.constantFrom("acct_1", "acct_2", "ACCT_1");
const apiId = fc.constantFrom("orders" as ApiId, "other" as ApiId);
const filter: fc.Arbitrary<KeyFilter> = fc.record(
  {
    api: fc.oneof(apiId, fc.constant("nothing" as ApiId)),
    environment: fc.oneof(environment, fc.constant("nothing" as Environment)),
    owner: fc.oneof(owner, fc.constant("nothing")),
    state,
  },
  { requiredKeys: [] },
);

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function describeListings(open: OpenStore): void {
  describe("a listing", () => {
    const subject = subjectOf(open);

    it("of keys is what a plain filter over all of them gives, in any pages", async () => {
      const { store } = subject;
      const keys = await manyKeys(store, subject.api);
      const after = fc.constantFrom("", ...keys.map(({ id }) => id), ...AWKWARD);
      await fc.assert(
        fc.asyncProperty(filter, after, fc.integer({ min: 1, max: 100 }), async (wanted, from, limit) => {
          const expected = keys.filter((key) => matches(key, wanted) && byBytes(key.id, from) > 0);
          expect(await store.listKeys(wanted, from, limit)).toEqual(expected.slice(0, limit));
          expect(await inPages((last) => store.listKeys(wanted, last, limit), from, limit)).toEqual(expected);
        }),
        { numRuns: 200 },
      );
    });

    it("of APIs is by the bytes of their ids, in any pages", async () => {
      const { store, api } = subject;
      const apis: Api[] = [api];
      for (const [number, name] of AWKWARD.entries()) {
        const other = testApi({ id: `x${name}` as ApiId, tokenPrefix: `p${number}` });
        apis.push({ ...other, revision: await committed(store, { kind: "create-api", api: other }) });
      }
      apis.sort((a, b) => byBytes(a.id, b.id));
      for (const limit of [1, 2, 3, 100]) {
        expect(await inPages((last) => store.listApis(last, limit), "", limit)).toEqual(apis);
      }
    });

    it("of nothing is empty", async () => {
      const { store, api } = subject;
      expect(await store.listKeys({}, "", 10)).toEqual([]);
      expect(await store.listApis(api.id, 10)).toEqual([]);
    });
  });
}

/** Keys of two APIs, in their order by bytes, as stored. */
async function manyKeys(store: Store, orders: Api): Promise<readonly Key[]> {
  const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth" });
  const apis = [orders, { ...other, revision: await committed(store, { kind: "create-api", api: other }) }];
  const fields = fc.record({ api: fc.nat({ max: 1 }), environment, owner, state });
  const keys = await Promise.all(
    fc.sample(fields, { numRuns: 60, seed: 1 }).map(async ({ api, ...rest }, number) => {
      const id = `${String(number % 7)}${AWKWARD[number % AWKWARD.length]}${number}` as KeyId;
      const change = creation(apis[api]!, number, { ...rest, id });
      return { ...change.key, revision: await committed(store, change) };
    }),
  );
  return keys.toSorted((a, b) => byBytes(a.id, b.id));
}

function matches(key: Key, wanted: KeyFilter): boolean {
  return (["api", "environment", "owner", "state"] as const).every(
    (field) => wanted[field] === undefined || wanted[field] === key[field],
  );
}

async function inPages<Item extends { readonly id: string }>(
  list: (after: string) => Promise<readonly Item[]>,
  after: string,
  limit: number,
): Promise<readonly Item[]> {
  const page = await list(after);
  const last = page.at(-1);
  return page.length < limit || last === undefined
    ? page
    : [...page, ...(await inPages(list, last.id, limit))];
}
