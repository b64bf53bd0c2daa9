import { describe, expect, it } from "vitest";
import type { Api } from "../../src/domain/api.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { AuditEntry, ImportKeys } from "../../src/ports/store.ts";
import { ENTRY, testKey, testKeyId } from "../support/records.ts";
import {
  committed,
  digestOf,
  newToken,
  type OpenStore,
  refused,
  storedKey,
  subjectOf,
} from "./store-subject.ts";

const IMPORT_ID = "0193b0a8-0000-7000-8000-00000000aaaa";
const IMPORTED: AuditEntry = { ...ENTRY, action: "ImportKeys", requestId: "request-1" };

/** The import of the test keys of these numbers, each with the test token of its number. */
export function importOf(api: Api, numbers: readonly number[], fields: Partial<ImportKeys> = {}): ImportKeys {
  return {
    kind: "import-keys",
    importId: IMPORT_ID,
    api: api.id,
    keys: numbers.map((number) => ({
      key: testKey({ id: testKeyId(number), api: api.id, owner: `acct_${number}` }),
      token: newToken(number),
    })),
    expectedApi: api.revision,
    ...fields,
  };
}

export function describeImports(open: OpenStore): void {
  describe("an import", () => {
    const subject = subjectOf(open);

    it("takes one revision, which each of its keys has", async () => {
      const { store, api } = subject;
      const change = importOf(api, [3, 1, 2]);
      const result = await store.commit(change, IMPORTED);
      expect(result).toEqual({ ok: true, revision: api.revision + 1 });
      for (const { key } of change.keys)
        expect(await store.getKey(key.id)).toEqual({ ...key, revision: api.revision + 1 });
    });

    it("makes its tokens known, each to its key", async () => {
      const { store, api } = subject;
      await committed(store, importOf(api, [1, 2]));
      const { value } = await store.findTokens([digestOf(1), digestOf(2), digestOf(3)]);
      const found = new Map(value.map(({ digest, key, generation }) => [digest, { id: key.id, generation }]));
      expect(found).toEqual(
        new Map([1, 2].map((number) => [digestOf(number), { id: testKeyId(number), generation: 1 }])),
      );
    });

    it("tells caches that there are new tokens, and of no key that they could hold", async () => {
      const { store, api } = subject;
      const before = store.version();
      await committed(store, importOf(api, [1, 2]));
      expect(store.version()).not.toBe(before);
      expect(await store.changesSince(api.revision)).toEqual({
        revision: api.revision + 1,
        complete: true,
        keyIds: [],
        apis: false,
        tokens: true,
      });
    });

    it("is one event of the audit, which says how many keys there are and which", async () => {
      const { store, api } = subject;
      await store.commit(importOf(api, [1, 2]), IMPORTED);
      const [event] = await store.listAuditEvents({ recordId: IMPORT_ID }, 100 as Revision, 10);
      expect(event).toMatchObject({
        action: "ImportKeys",
        api: api.id,
        requestId: "request-1",
        before: null,
      });
      expect(JSON.parse(event?.after ?? "")).toEqual({ count: 2, keyIds: [testKeyId(1), testKeyId(2)] });
    });

    it("leaves keys that are changed as all others are", async () => {
      const { store, api } = subject;
      const change = importOf(api, [1, 2]);
      const expected = await committed(store, change);
      const key = { ...change.keys[0]!.key, owner: "acct_9" };
      const revision = await committed(store, { kind: "update-key", key, expected });
      expect(await store.getKey(key.id)).toEqual({ ...key, revision });
      const { value } = await store.findTokens([digestOf(1), digestOf(2)]);
      expect(value.map((found) => found.key.owner).toSorted()).toEqual(["acct_2", "acct_9"]);
    });

    const conflicts: readonly [
      situation: string,
      change: () => Promise<ImportKeys>,
      conflict: "EXISTS" | "CHANGED",
    ][] = [
      [
        "an id is taken",
        async () => {
          await storedKey(subject, 2);
          const change = importOf(subject.api, [1, 2]);
          return {
            ...change,
            keys: change.keys.map(({ key }) => ({ key, token: newToken(`new ${key.id}`) })),
          };
        },
        "EXISTS",
      ],
      [
        "a digest is taken",
        async () => {
          await storedKey(subject, 9);
          const change = importOf(subject.api, [1, 2]);
          return {
            ...change,
            keys: change.keys.map(({ key }, index) => ({ key, token: newToken([1, 9][index]!) })),
          };
        },
        "EXISTS",
      ],
      ["an id is there twice", async () => twice("key"), "EXISTS"],
      ["a digest is there twice", async () => twice("token"), "EXISTS"],
      [
        "its API has changed",
        async () => importOf(subject.api, [1], { expectedApi: 999 as Revision }),
        "CHANGED",
      ],
      [
        "its API is gone",
        async () => {
          const { store, api } = subject;
          await committed(store, { kind: "delete-api", id: api.id, expected: api.revision });
          return importOf(api, [1]);
        },
        "CHANGED",
      ],
    ];
    const twice = (part: "key" | "token") => {
      const change = importOf(subject.api, [1, 2]);
      const [first, second] = change.keys;
      return { ...change, keys: [first!, { ...second!, [part]: first![part] }] };
    };

    it.each(conflicts)("is refused whole if %s", async (_situation, change, conflict) => {
      const made = await change();
      const { store } = subject;
      const before = store.version();
      const keys = await store.listKeys({}, "", 10);
      expect(await store.commit(made, IMPORTED)).toEqual(refused(conflict));
      expect(store.version()).toBe(before);
      expect(await store.listKeys({}, "", 10)).toEqual(keys);
      expect((await store.findTokens([digestOf(1)])).value).toEqual([]);
    });
  });
}
