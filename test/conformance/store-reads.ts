import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ApiId } from "../../src/domain/api.ts";
import type { Digest } from "../../src/domain/digest.ts";
import type { KeyId } from "../../src/domain/key.ts";
import { testApi, testKeyId } from "../support/records.ts";
import {
  committed,
  creation,
  digestOf,
  NOW,
  newToken,
  type OpenStore,
  storedKey,
  subjectOf,
} from "./store-subject.ts";

const DAY = 24 * 60 * 60 * 1000;

export function describeReads(open: OpenStore): void {
  describe("a look-up of tokens", () => {
    const subject = subjectOf(open);

    it.each([0, 1, 2, 8, 9, 32, 33, 100])(
      "finds those that exist among %i, with their keys",
      async (size) => {
        const { store, api } = subject;
        const numbers = Array.from({ length: size }, (_, index) => index);
        const known = numbers.filter((number) => number % 3 !== 2);
        const revisions = await Promise.all(known.map((number) => committed(store, creation(api, number))));
        const { revision, value } = await store.findTokens(numbers.map(digestOf));
        const expected = known.map((number, index) => ({
          digest: digestOf(number),
          generation: 1,
          key: { ...creation(api, number).key, revision: revisions[index] },
        }));
        expect(value.toSorted((a, b) => (a.key.id < b.key.id ? -1 : 1))).toEqual(expected);
        expect(revision).toBe(Math.max(api.revision, ...revisions));
      },
    );

    it("is right for digests of any bytes", async () => {
      const { store, api } = subject;
      const digests = [
        "\0".repeat(32),
        "\xff".repeat(32),
        `\0${"a".repeat(31)}`,
        `${"a".repeat(31)}\0`,
      ] as Digest[];
      await Promise.all(
        digests.map((digest, number) =>
          committed(store, { ...creation(api, number), token: newToken(0, { digest }) }),
        ),
      );
      for (const [number, digest] of digests.entries()) {
        const { value } = await store.findTokens([digest]);
        expect(value.map((found) => [found.digest, found.key.id])).toEqual([[digest, testKeyId(number)]]);
      }
      expect((await store.findTokens(["\0".repeat(31) as Digest, "" as Digest])).value).toEqual([]);
    });

    it("has every change that was acknowledged before, and says at least that revision", async () => {
      const { store } = subject;
      let key = await storedKey(subject, 1);
      for (const state of ["DISABLED", "ACTIVE", "REVOKED"] as const) {
        const changed = { ...key, state };
        const expected = key.revision;
        key = {
          ...changed,
          revision: await committed(store, { kind: "update-key", key: changed, expected }),
        };
        const { revision, value } = await store.findTokens([digestOf(1)]);
        expect(value.map((found) => found.key)).toEqual([key]);
        expect(revision).toBeGreaterThanOrEqual(key.revision);
      }
    });
  });

  describe("a look-up of tokens while they change", () => {
    const subject = subjectOf(open);

    it("never has less than its revision says", async () => {
      const { store } = subject;
      let key = await storedKey(subject, 1);
      const end = new AbortController();
      const change = async () => {
        for (let count = 0; count < 300; count++) {
          key = {
            ...key,
            revision: await committed(store, { kind: "update-key", key, expected: key.revision }),
          };
        }
        end.abort();
      };
      const look = async () => {
        // Every change is this key's: what is found must be as new as the revision that it comes with.
        const older: unknown[] = [];
        while (!end.signal.aborted) {
          const { revision, value } = await store.findTokens([digestOf(1)]);
          if (!value.every((found) => found.key.revision >= revision)) older.push({ revision, value });
          await setImmediate();
        }
        return older;
      };
      const [older] = await Promise.all([look(), change()]);
      expect(older).toEqual([]);
    });
  });

  describe("a read", () => {
    const subject = subjectOf(open);

    it("of what is not there is undefined", async () => {
      const { store } = subject;
      expect(await store.getApi("nothing" as ApiId)).toBeUndefined();
      expect(await store.getKey(testKeyId(1))).toBeUndefined();
      expect(await store.getServedRequest("nothing")).toBeUndefined();
    });

    it("tells ids apart by their bytes, so case and form of a letter count", async () => {
      const { store } = subject;
      const ids = ["Orders", "ORDERS", "é", "e\u0301", "ß", "ss"] as ApiId[];
      for (const [number, id] of ids.entries()) {
        await committed(store, { kind: "create-api", api: testApi({ id, tokenPrefix: `p${number}` }) });
      }
      for (const [number, id] of ids.entries()) {
        expect((await store.getApi(id))?.tokenPrefix).toBe(`p${number}`);
      }
      const key = await storedKey(subject, 1, { id: "abcd" as KeyId });
      expect(await store.getKey("ABCD" as KeyId)).toBeUndefined();
      expect(await store.getKey(key.id)).toEqual(key);
    });

    it("of all APIs has each, and says at least their revisions", async () => {
      const { store, api } = subject;
      const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth" });
      const revision = await committed(store, { kind: "create-api", api: other });
      const all = await store.allApis();
      expect(all.value).toHaveLength(2);
      expect(all.value).toEqual(expect.arrayContaining([api, { ...other, revision }]));
      expect(all.revision).toBe(revision);
    });

    it("of a served request finds it for a day", async () => {
      const { store, api } = subject;
      const served = { requestId: "", fingerprint: "fingerprint", keyId: testKeyId(1) };
      const ages = { now: 0, "almost a day ago": DAY - 1, "a day ago": DAY, "long ago": 30 * DAY };
      for (const [number, [requestId, age]] of Object.entries(ages).entries()) {
        const keyId = testKeyId(number);
        await committed(store, {
          ...creation(api, number),
          served: { ...served, requestId, keyId, time: NOW - age },
        });
      }
      expect(await store.getServedRequest("now")).toEqual({
        ...served,
        requestId: "now",
        keyId: testKeyId(0),
        time: NOW,
      });
      expect(await store.getServedRequest("almost a day ago")).toBeDefined();
      expect(await store.getServedRequest("a day ago")).toBeUndefined();
      expect(await store.getServedRequest("long ago")).toBeUndefined();
    });
  });
}
