import { describe, expect, it } from "vitest";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { Change, Conflict, ServedRequest } from "../../src/ports/store.ts";
import { ENTRY, testApi, testKeyId } from "../support/records.ts";
import {
  committed,
  creation,
  NOW,
  newToken,
  type OpenStore,
  refused,
  storedKey,
  subjectOf,
} from "./store-subject.ts";

const DAY = 24 * 60 * 60 * 1000;
const OLD = 999 as Revision;

const servedAt = (time: number, fields: Partial<ServedRequest> = {}): ServedRequest => ({
  requestId: "request-1",
  fingerprint: "fingerprint-1",
  keyId: testKeyId(1),
  time,
  ...fields,
});

const other = () => testApi({ id: "other" as ApiId, tokenPrefix: "oth" });

export function describeConflicts(open: OpenStore): void {
  describe("a change is refused, and nothing of it stored,", () => {
    const subject = subjectOf(open);

    const cases: readonly [situation: string, conflict: Conflict, change: () => Promise<Change>][] = [
      [
        "an API's id is taken",
        "EXISTS",
        async () => ({ kind: "create-api", api: { ...other(), id: subject.api.id } }),
      ],
      [
        "a new API's token prefix is taken",
        "EXISTS",
        async () => ({ kind: "create-api", api: { ...other(), tokenPrefix: subject.api.tokenPrefix } }),
      ],
      [
        "an API would get the token prefix of another",
        "EXISTS",
        async () => {
          const expected = await committed(subject.store, { kind: "create-api", api: other() });
          const api = { ...other(), tokenPrefix: subject.api.tokenPrefix };
          return { kind: "update-api", api, expected, removedEnvironments: [] };
        },
      ],
      [
        "a key's id is taken",
        "EXISTS",
        async () => {
          await storedKey(subject, 1);
          return { ...creation(subject.api, 1), token: newToken("fresh") };
        },
      ],
      [
        "a new key's digest is taken",
        "EXISTS",
        async () => {
          await storedKey(subject, 1);
          return { ...creation(subject.api, 2), token: newToken(1) };
        },
      ],
      [
        "a rotation's digest is taken, even by the key itself",
        "EXISTS",
        async () => {
          const key = await storedKey(subject, 1);
          return { kind: "update-key", key, expected: key.revision, token: newToken(1, { generation: 2 }) };
        },
      ],
      [
        "a new key's request was served less than a day before",
        "EXISTS",
        async () => {
          await committed(subject.store, { ...creation(subject.api, 1), served: servedAt(NOW) });
          const served = servedAt(NOW + DAY - 1, { keyId: testKeyId(2) });
          return { ...creation(subject.api, 2), served };
        },
      ],
      [
        "a rotation's request was served, which says more than that the key has changed",
        "EXISTS",
        async () => {
          const key = await storedKey(subject, 1);
          const change = { kind: "update-key", key, expected: key.revision, served: servedAt(NOW) } as const;
          await committed(subject.store, change);
          return change;
        },
      ],
      [
        "an API has changed",
        "CHANGED",
        async () => ({ kind: "update-api", api: subject.api, expected: OLD, removedEnvironments: [] }),
      ],
      [
        "an API that would be changed is not there",
        "CHANGED",
        async () => ({
          kind: "update-api",
          api: other(),
          expected: subject.api.revision,
          removedEnvironments: [],
        }),
      ],
      [
        "an API that would be deleted has changed",
        "CHANGED",
        async () => ({ kind: "delete-api", id: subject.api.id, expected: OLD }),
      ],
      [
        "an API that would be deleted is not there",
        "CHANGED",
        async () => ({ kind: "delete-api", id: other().id, expected: subject.api.revision }),
      ],
      [
        "a new key's API has changed",
        "CHANGED",
        async () => ({ ...creation(subject.api, 1), expectedApi: OLD }),
      ],
      ["a new key's API is not there", "CHANGED", async () => creation({ ...other(), revision: OLD }, 1)],
      [
        "a key has changed",
        "CHANGED",
        async () => {
          const key = await storedKey(subject, 1);
          await committed(subject.store, { kind: "update-key", key, expected: key.revision });
          return { kind: "update-key", key, expected: key.revision, token: newToken("fresh") };
        },
      ],
      [
        "a key that would be changed is not there",
        "CHANGED",
        async () => ({
          kind: "update-key",
          key: creation(subject.api, 1).key,
          expected: subject.api.revision,
        }),
      ],
      [
        "an API that would be deleted has keys, revoked ones included",
        "HAS_KEYS",
        async () => {
          await storedKey(subject, 1, { state: "REVOKED" });
          return { kind: "delete-api", id: subject.api.id, expected: subject.api.revision };
        },
      ],
      [
        "an environment that would go has keys",
        "HAS_KEYS",
        async () => {
          await storedKey(subject, 1, { environment: "live" as Environment });
          const removedEnvironments = ["test", "live"] as Environment[];
          return {
            kind: "update-api",
            api: subject.api,
            expected: subject.api.revision,
            removedEnvironments,
          };
        },
      ],
    ];

    it.each(cases)("if %s: %s", async (_situation, conflict, arrange) => {
      const { store } = subject;
      const change = await arrange();
      const before = await everythingIn();
      expect(await store.commit(change, ENTRY)).toEqual(refused(conflict));
      expect(await everythingIn()).toEqual(before);
    });

    it("but not if an environment without keys goes, or another API has the keys", async () => {
      const { store, api } = subject;
      await storedKey(subject, 1);
      const expected = await committed(store, { kind: "create-api", api: other() });
      const environments = ["test" as Environment];
      const removedEnvironments = ["live" as Environment];
      const change = { kind: "update-api", expected: api.revision, removedEnvironments } as const;
      expect((await store.commit({ ...change, api: { ...api, environments } }, ENTRY)).ok).toBe(true);
      expect((await store.commit({ kind: "delete-api", id: other().id, expected }, ENTRY)).ok).toBe(true);
    });

    it("but not if the request was served a day before: it is then served anew", async () => {
      const { store, api } = subject;
      await committed(store, { ...creation(api, 1), served: servedAt(NOW - DAY) });
      const served = servedAt(NOW, { keyId: testKeyId(2), fingerprint: "fingerprint-2" });
      await committed(store, { ...creation(api, 2), served });
      expect(await store.getServedRequest("request-1")).toEqual(served);
    });

    it("by all but one of 32 callers who send the same request", async () => {
      const { store, api } = subject;
      const results = await Promise.all(
        Array.from({ length: 32 }, (_, number) =>
          store.commit(
            { ...creation(api, number), served: servedAt(NOW, { keyId: testKeyId(number) }) },
            ENTRY,
          ),
        ),
      );
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await store.listKeys({}, "", 100)).toHaveLength(1);
    });

    async function everythingIn() {
      const { store } = subject;
      const { revision } = await store.allApis();
      return {
        revision,
        version: store.version(),
        apis: await store.listApis("", 100),
        keys: await store.listKeys({}, "", 100),
        fresh: (await store.findTokens([newToken("fresh").digest])).value,
        served: await store.getServedRequest("request-1"),
        audit: await store.auditChain(0 as Revision, 100),
      };
    }
  });
}
