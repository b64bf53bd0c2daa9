import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Api } from "../../src/domain/api.ts";
import type { Key } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { ENTRY, testApi, testKeyId } from "../support/records.ts";
import { anyApi, anyKey } from "./store-arbitraries.ts";
import {
  committed,
  creation,
  digestOf,
  newToken,
  type OpenStore,
  storedKey,
  subjectOf,
} from "./store-subject.ts";

export function describeChanges(open: OpenStore): void {
  describe("a change", () => {
    const subject = subjectOf(open);

    it("gets the next revision, whatever the record said", async () => {
      const { store, api } = subject;
      const change = creation(api, 1, { revision: 77 as Revision });
      const revision = await committed(store, change);
      expect(revision).toBe(api.revision + 1);
      expect((await store.getKey(change.key.id))?.revision).toBe(revision);
      const next = await committed(store, { kind: "update-key", key: change.key, expected: revision });
      expect(next).toBe(revision + 1);
      expect((await store.getKey(change.key.id))?.revision).toBe(next);
    });

    it("that is refused takes no revision", async () => {
      const { store, api } = subject;
      await storedKey(subject, 1);
      for (let attempt = 0; attempt < 5; attempt++)
        expect((await store.commit(creation(api, 1), ENTRY)).ok).toBe(false);
      expect(await committed(store, creation(api, 2))).toBe(api.revision + 2);
    });

    it("is read as it was written, keys", async () => {
      const { store, api } = subject;
      let number = 0;
      await fc.assert(
        fc.asyncProperty(anyKey, anyKey, async (created, updated) => {
          const fields = { id: testKeyId(++number), api: api.id, environment: created.environment };
          const times = { createTime: created.createTime };
          const key: Key = { ...created, ...fields };
          const revision = await committed(store, { ...creation(api, number), key });
          expect(await store.getKey(key.id)).toEqual({ ...key, revision });
          const changed: Key = { ...updated, ...fields, ...times };
          const next = await committed(store, { kind: "update-key", key: changed, expected: revision });
          expect(await store.getKey(key.id)).toEqual({ ...changed, revision: next });
          const { value } = await store.findTokens([digestOf(number)]);
          expect(value.map((found) => found.key)).toEqual([{ ...changed, revision: next }]);
        }),
        { numRuns: 50 },
      );
    });

    it("is read as it was written, APIs", async () => {
      const { store } = subject;
      let number = 0;
      await fc.assert(
        fc.asyncProperty(anyApi, anyApi, async (created, updated) => {
          const fields = { id: `api-${++number}` as Api["id"], tokenPrefix: `p${number}` };
          const api: Api = { ...created, ...fields };
          const revision = await committed(store, { kind: "create-api", api });
          expect(await store.getApi(api.id)).toEqual({ ...api, revision });
          const changed: Api = { ...updated, ...fields, createTime: created.createTime };
          const next = await committed(store, {
            kind: "update-api",
            api: changed,
            expected: revision,
            removedEnvironments: [],
          });
          expect(await store.getApi(api.id)).toEqual({ ...changed, revision: next });
          expect((await store.allApis()).value).toContainEqual({ ...changed, revision: next });
        }),
        { numRuns: 30 },
      );
    });

    it("of an API's deletion leaves nothing of it", async () => {
      const { store, api } = subject;
      const deleted = await committed(store, { kind: "delete-api", id: api.id, expected: api.revision });
      expect(deleted).toBe(api.revision + 1);
      expect(await store.getApi(api.id)).toBeUndefined();
      expect((await store.allApis()).value).toEqual([]);
      // Its id and its prefix are free again.
      expect(await committed(store, { kind: "create-api", api: testApi() })).toBe(deleted + 1);
    });

    it("made by 32 callers at once is made once each, with revisions of their own", async () => {
      const { store, api } = subject;
      const numbers = Array.from({ length: 32 }, (_, index) => index);
      const revisions = await Promise.all(numbers.map((number) => committed(store, creation(api, number))));
      expect(revisions.toSorted((a, b) => a - b)).toEqual(numbers.map((number) => api.revision + 1 + number));
      for (const number of numbers) {
        expect((await store.getKey(testKeyId(number)))?.revision).toBe(revisions[number]);
      }
    });

    it("is made by exactly one of 32 callers who expect the same revision", async () => {
      const { store } = subject;
      const key = await storedKey(subject, 1);
      const owners = Array.from({ length: 32 }, (_, index) => `acct_${index}`);
      const results = await Promise.all(
        owners.map((owner) =>
          store.commit({ kind: "update-key", key: { ...key, owner }, expected: key.revision }, ENTRY),
        ),
      );
      const winners = owners.filter((_, index) => results[index]?.ok);
      expect(winners).toHaveLength(1);
      expect(results.filter((result) => !result.ok && result.conflict === "CHANGED")).toHaveLength(31);
      expect(await store.getKey(key.id)).toEqual({ ...key, owner: winners[0], revision: key.revision + 1 });
    });

    it("that is refused does not touch those that come with it", async () => {
      const { store, api } = subject;
      await storedKey(subject, 1);
      const results = await Promise.all(
        [2, 1, 3, 1, 4].map((number) => store.commit(creation(api, number), ENTRY)),
      );
      expect(results.map(({ ok }) => ok)).toEqual([true, false, true, false, true]);
      const ids = (await store.listKeys({}, "", 10)).map(({ id }) => id);
      expect(ids).toEqual([1, 2, 3, 4].map(testKeyId));
    });

    it("of a rotation is whole or not at all", async () => {
      const { store } = subject;
      const key = await storedKey(subject, 1);
      await storedKey(subject, 2);
      const rotated = { ...key, generation: 2 };
      const taken = newToken(2, { generation: 2 });
      const before = store.version();
      await store.commit({ kind: "update-key", key: rotated, expected: key.revision, token: taken }, ENTRY);
      expect(await store.getKey(key.id)).toEqual(key);
      expect((await store.findTokens([taken.digest])).value[0]?.key.id).toBe(testKeyId(2));
      expect(store.version()).toBe(before);
      const fresh = newToken("fresh", { generation: 2 });
      const revision = await committed(store, {
        kind: "update-key",
        key: rotated,
        expected: key.revision,
        token: fresh,
      });
      const { value } = await store.findTokens([digestOf(1), fresh.digest]);
      expect(new Map(value.map((found) => [found.digest, found.generation]))).toEqual(
        new Map([
          [digestOf(1), 1],
          [fresh.digest, 2],
        ]),
      );
      for (const found of value) expect(found.key).toEqual({ ...rotated, revision });
    });
  });
}
