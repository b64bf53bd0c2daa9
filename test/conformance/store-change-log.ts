import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApiId } from "../../src/domain/api.ts";
import type { KeyId } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import type { NewToken } from "../../src/ports/store.ts";
import { ENTRY, testApi, testKeyId } from "../support/records.ts";
import {
  committed,
  creation,
  newToken,
  type OpenStore,
  type Subject,
  storedKey,
  subjectOf,
} from "./store-subject.ts";

export function describeChangeLog(open: OpenStore): void {
  describe("the freshness check", () => {
    const subject = subjectOf(open);

    it("gives a version that no earlier answer had, after every acknowledged change", async () => {
      const { store } = subject;
      const versions = [store.version()];
      let key = await storedKey(subject, 1);
      versions.push(store.version());
      for (let count = 0; count < 20; count++) {
        key = {
          ...key,
          revision: await committed(store, { kind: "update-key", key, expected: key.revision }),
        };
        versions.push(store.version());
      }
      expect(new Set(versions).size).toBe(versions.length);
    });

    it("gives the same version as long as nothing changes", async () => {
      const { store, api } = subject;
      const version = store.version();
      await store.commit({ kind: "delete-api", id: api.id, expected: 999 as Revision }, ENTRY);
      await store.getApi(api.id);
      expect(store.version()).toBe(version);
    });
  });

  describe("the change log", () => {
    const subject = subjectOf(open);

    it("names nothing where nothing has changed", async () => {
      const { store, api } = subject;
      const nothing = { revision: api.revision, complete: true, keyIds: [], apis: false, tokens: false };
      expect(await store.changesSince(api.revision)).toEqual(nothing);
    });

    it("names each key that was changed, APIs and new tokens, since any revision", async () => {
      const { store, api } = subject;
      const log = await someHistory(subject);
      for (const [index] of log.entries()) {
        const since = (api.revision + index) as Revision;
        const changes = await store.changesSince(since);
        const expected = log.slice(index);
        const keyIds = new Set(expected.flatMap(({ keyId }) => keyId ?? []));
        expect(changes.complete).toBe(true);
        expect(changes.revision).toBe(api.revision + log.length);
        expect(changes.keyIds.toSorted()).toEqual([...keyIds].toSorted());
        expect(changes.apis).toBe(expected.some(({ keyId }) => keyId === undefined));
        expect(changes.tokens).toBe(expected.some(({ token }) => token));
      }
    });

    it("never claims to be complete for a revision that the store has not reached", async () => {
      const { store, api } = subject;
      const future = (api.revision + 1) as Revision;
      expect(await store.changesSince(future)).toMatchObject({ revision: api.revision, complete: false });
    });

    it("has what 32 callers changed at once, as soon as each of them knows of it", async () => {
      const { store, api } = subject;
      await Promise.all(
        Array.from({ length: 32 }, async (_, number) => {
          const before = store.version();
          const revision = await committed(store, creation(api, number));
          expect(store.version()).not.toBe(before);
          const changes = await store.changesSince(api.revision);
          expect(changes.keyIds).toContain(testKeyId(number));
          expect(changes.revision).toBeGreaterThanOrEqual(revision);
        }),
      );
    });
  });
}

/** What a log should say of one change; without a key it was an API's. */
interface Logged {
  readonly keyId?: KeyId;
  readonly token: boolean;
}

/** Changes of every kind in no particular order. */
async function someHistory(subject: Subject): Promise<readonly Logged[]> {
  const { store } = subject;
  const keys = [await storedKey(subject, 1), await storedKey(subject, 2), await storedKey(subject, 3)];
  const log: Logged[] = keys.map(({ id }) => ({ keyId: id, token: true }));
  const other = testApi({ id: "other" as ApiId, tokenPrefix: "oth" });

  const updateKey = async (index: number, token?: NewToken) => {
    const key = keys[index]!;
    const revision = await committed(store, { kind: "update-key", key, expected: key.revision, token });
    keys[index] = { ...key, revision };
    log.push({ keyId: key.id, token: token !== undefined });
  };
  const passApi = async () => {
    const expected = await committed(store, { kind: "create-api", api: other });
    const change = { kind: "update-api", api: other, expected, removedEnvironments: [] } as const;
    const updated = await committed(store, change);
    await committed(store, { kind: "delete-api", id: other.id, expected: updated });
    log.push({ token: false }, { token: false }, { token: false });
  };

  const step = fc.oneof(
    { weight: 5, arbitrary: fc.nat({ max: 2 }).map((index) => () => updateKey(index)) },
    {
      weight: 2,
      arbitrary: fc.nat({ max: 2 }).map((index) => () => updateKey(index, newToken(log.length + 100))),
    },
    { weight: 1, arbitrary: fc.constant(passApi) },
  );
  for (const take of fc.sample(step, { numRuns: 20, seed: 1 })) await take();
  return log;
}
