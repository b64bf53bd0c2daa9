import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FreshCache } from "../../src/app/fresh-cache.ts";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import type { TokenHash } from "../../src/domain/digest.ts";
import type { KeyId } from "../../src/domain/key.ts";
import {
  COUNTED_REASONS,
  type TokenUse,
  totalsOf,
  type UsageCount,
  type UsageSubject,
} from "../../src/domain/usage.ts";
import type { FoundToken, Store } from "../../src/ports/store.ts";
import { testKeyId } from "../support/records.ts";
import { digestOf, NOW, type OpenStore, storedKey, subjectOf } from "./store-subject.ts";

const HOURS = 100;
const apis = ["orders", "orders2", "other"] as ApiId[];
const environments = ["test", "live"] as Environment[];
/** A key has one API and environment. */
const keys = Array.from({ length: 6 }, (_, number) => ({
  id: testKeyId(number),
  api: apis[number % 3]!,
  environment: environments[number % 2]!,
}));

const count: fc.Arbitrary<UsageCount> = fc.record({
  key: fc.option(fc.constantFrom(...keys)),
  hour: fc.integer({ min: 0, max: HOURS - 1 }),
  reason: fc.constantFrom(...COUNTED_REASONS),
  count: fc.integer({ min: 1, max: 1_000_000 }),
});
const use: fc.Arbitrary<TokenUse> = fc.record({
  keyId: fc.constantFrom(...keys.map(({ id }) => id)),
  generation: fc.constantFrom(4, 5),
  time: fc.integer({ min: 1, max: 1_000 }),
  clientIp: fc.constantFrom("", "203.0.113.7", "2001:db8::1"),
});
const batch = fc.record({
  counts: fc.array(count, { maxLength: 20 }),
  lastUses: fc.array(use, { maxLength: 10 }),
});
const subject: fc.Arbitrary<UsageSubject> = fc.oneof(
  fc.constant({ kind: "all" as const }),
  fc.constantFrom(...keys).map(({ id }) => ({ kind: "key" as const, keyId: id })),
  fc.record({
    kind: fc.constant("api" as const),
    api: fc.constantFrom(...apis, "nothing" as ApiId),
    environment: fc.constantFrom(...environments, undefined),
  }),
);
const hour = fc.integer({ min: -30, max: HOURS + 30 });

export function describeUsage(open: OpenStore): void {
  describe("usage", () => {
    const opened = subjectOf(open);

    it("is for every subject what was counted in all, by buckets", async () => {
      const all: UsageCount[] = [];
      const question = fc.record({ wanted: subject, from: hour, until: hour, width: fc.constantFrom(1, 24) });
      await fc.assert(
        fc.asyncProperty(batch, fc.array(question, { maxLength: 10 }), async (recorded, questions) => {
          await opened.store.recordUsage(recorded);
          all.push(...recorded.counts);
          for (const { wanted, from, until, width } of questions) {
            const sums = await opened.store.usage(wanted, from, until, width);
            expect(sums).toEqual(expectedSums(all, wanted, from, until, width));
          }
        }),
        { numRuns: 50 },
      );
    });

    it("has the newest use of each token, in whatever order they come", async () => {
      const newest = new Map<string, TokenUse>();
      await fc.assert(
        fc.asyncProperty(batch, async (recorded) => {
          await opened.store.recordUsage(recorded);
          for (const one of recorded.lastUses) {
            const place = `${one.keyId} ${one.generation}`;
            if (one.time > (newest.get(place)?.time ?? 0)) newest.set(place, one);
          }
          const some = keys.slice(0, 4).map(({ id }) => id);
          const uses = await opened.store.lastUses([...some, ...some]);
          expect(byPlace(uses)).toEqual(
            byPlace([...newest.values()].filter(({ keyId }) => some.includes(keyId))),
          );
        }),
        { numRuns: 50 },
      );
    });

    it("keeps the last use of the two newest tokens that were used", async () => {
      const { store } = opened;
      for (let generation = 1; generation <= 5; generation++) {
        const lastUses = [{ keyId: testKeyId(1), generation, time: generation, clientIp: "" }];
        await store.recordUsage({ counts: [], lastUses });
      }
      const found = (await store.lastUses([testKeyId(1)])).map(({ generation }) => generation);
      expect(found).toEqual(expect.arrayContaining([4, 5]));
    });

    it("is no change: no revision, no event of the audit, and nothing that a cache has to drop", async () => {
      const { store } = opened;
      const key = await storedKey(opened, 1);
      const cache = cacheOver(store);
      await cache.ensureFresh();
      const hash = digestOf(1) as string as TokenHash;
      await cache.load(new Set([hash]));
      const head = await store.auditHead();
      await store.recordUsage({
        counts: [{ key, hour: 1, reason: "ALLOWED", count: 1 }],
        lastUses: [{ keyId: key.id, generation: 1, time: NOW, clientIp: "" }],
      });
      expect(await store.changesSince(key.revision)).toEqual({
        revision: key.revision,
        complete: true,
        keyIds: [],
        apis: false,
        tokens: false,
      });
      expect(await store.auditHead()).toEqual(head);
      await cache.ensureFresh();
      expect(cache.get(hash)).toMatchObject({ key: { id: key.id } });
    });

    it("of hours that are over is deleted in bites, and the rest stays, like the last uses", async () => {
      const { store } = opened;
      const key = keys[0]!;
      const counts = [1, 2, 3, 4].map((when) => ({
        key,
        hour: when,
        reason: "ALLOWED" as const,
        count: when,
      }));
      const lastUses = [{ keyId: key.id, generation: 1, time: 1, clientIp: "" }];
      await store.recordUsage({ counts, lastUses });
      const deleted: number[] = [];
      for (let bite = 0; bite < 100 && deleted.at(-1) !== 0; bite++)
        deleted.push(await store.tidyUsage({ goneBefore: 3, daysBefore: 0 }, 2));
      expect(Math.max(...deleted)).toBe(2);
      for (const wanted of [{ kind: "all" } as const, { kind: "key", keyId: key.id } as const]) {
        expect((await store.usage(wanted, 0, 10, 1)).map(({ start }) => start)).toEqual([3, 4]);
      }
      expect(await store.lastUses([key.id])).toEqual(lastUses);
    });

    it("of days long over comes to be by the day, in bites, and adds up to the same", async () => {
      const { store } = opened;
      const key = keys[0]!;
      const hours = [24, 25, 47, 48, 50, 71, 72, 73];
      await store.recordUsage({
        counts: hours.map((when) => ({ key, hour: when, reason: "ALLOWED" as const, count: when })),
        lastUses: [],
      });
      const subjects = [{ kind: "all" } as const, { kind: "key", keyId: key.id } as const];
      const byDay = async () => Promise.all(subjects.map((wanted) => store.usage(wanted, 0, 100, 24)));
      const before = await byDay();
      const tidied: number[] = [];
      for (let bite = 0; bite < 100 && tidied.at(-1) !== 0; bite++)
        tidied.push(await store.tidyUsage({ goneBefore: 0, daysBefore: 72 }, 3));
      expect(Math.max(...tidied)).toBe(3);
      expect(await byDay()).toEqual(before);
      for (const wanted of subjects) {
        expect(await store.usage(wanted, 0, 100, 1)).toEqual([
          { start: 24, reason: "ALLOWED", count: 24 + 25 + 47 },
          { start: 48, reason: "ALLOWED", count: 48 + 50 + 71 },
          { start: 72, reason: "ALLOWED", count: 72 },
          { start: 73, reason: "ALLOWED", count: 73 },
        ]);
      }
    });

    it("finds keys that were not used since a time, among those that were here before it", async () => {
      const { store } = opened;
      await storedKey(opened, 1, { id: idFrom(1, 100) });
      await storedKey(opened, 2, { id: idFrom(2, 100) });
      await storedKey(opened, 3, { id: idFrom(3, 100) });
      // One that was imported, and that its former system had made long before.
      await storedKey(opened, 4, { id: idFrom(4, 500), createTime: 1 });
      const used = (number: number, generation: number, time: number) => ({
        keyId: idFrom(number, 100),
        generation,
        time,
        clientIp: "",
      });
      await store.recordUsage({ counts: [], lastUses: [used(1, 1, 499), used(2, 1, 300), used(2, 2, 500)] });
      const unused = async (unusedSince: number) =>
        (await store.listKeys({ unusedSince }, "", 10)).map(({ id }) => id);
      const old = [1, 2, 3].map((number) => idFrom(number, 100));
      expect(await unused(500)).toEqual([old[0], old[2]]);
      expect(await unused(501)).toEqual([...old, idFrom(4, 500)]);
      expect(await unused(100)).toEqual([]);
      expect(await unused(-1)).toEqual([]);
    });
  });
}

function expectedSums(
  all: readonly UsageCount[],
  wanted: UsageSubject,
  from: number,
  until: number,
  width: number,
) {
  const sums = new Map<string, number>();
  for (const { key, hour: when, reason, count: many } of all) {
    const isOf =
      wanted.kind === "key"
        ? key?.id === wanted.keyId
        : totalsOf(key).some((total) => JSON.stringify(total) === JSON.stringify(wanted));
    if (!isOf || when < from || when >= until) continue;
    const place = `${String(Math.floor(when / width) * width).padStart(9)} ${reason}`;
    sums.set(place, (sums.get(place) ?? 0) + many);
  }
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, many]) => {
      const [start, reason] = place.trim().split(" ");
      return { start: Number(start), reason, count: many };
    });
}

/** The id of a key that came at this time. */
function idFrom(number: number, time: number): KeyId {
  return `${time.toString(16).padStart(12, "0").replace(/^.{8}/, "$&-")}${testKeyId(number).slice(13)}` as KeyId;
}

function byPlace(uses: readonly TokenUse[]): readonly TokenUse[] {
  return uses.toSorted((a, b) => (`${a.keyId} ${a.generation}` < `${b.keyId} ${b.generation}` ? -1 : 1));
}

function cacheOver(store: Store): FreshCache<FoundToken> {
  return new FreshCache<FoundToken>({
    store,
    digestsOf: (hash) => [digestOf(1)].filter((digest) => (digest as string) === (hash as string)),
    compile: (found) => found,
    size: 10,
    unknownSize: 10,
  });
}
