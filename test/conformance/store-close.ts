import { describe, expect, it } from "vitest";
import type { Revision } from "../../src/domain/revision.ts";
import { ENTRY, testKeyId } from "../support/records.ts";
import { committed, creation, digestOf, type OpenStore, storedKey, subjectOf } from "./store-subject.ts";

const UNAVAILABLE = { status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" };

export function describeClose(open: OpenStore): void {
  describe("a store that is closed", () => {
    const subject = subjectOf(open);

    it("has finished the changes that were begun, and nothing begins any more", async () => {
      const { store, api } = subject;
      const begun = Promise.all([1, 2, 3].map((number) => store.commit(creation(api, number), ENTRY)));
      const closed = store.close();
      const late = store.commit(creation(api, 4), ENTRY).catch((error: unknown) => error);
      expect((await begun).map(({ ok }) => ok)).toEqual([true, true, true]);
      await closed;
      expect(await late).toMatchObject(UNAVAILABLE);
    });

    it("rejects every question: the store can't be asked", async () => {
      const { store, api } = subject;
      await store.close();
      expect(() => store.version()).toThrow(expect.objectContaining(UNAVAILABLE));
      const questions = [
        () => store.changesSince(0 as Revision),
        () => store.findTokens([digestOf(1)]),
        () => store.allApis(),
        () => store.getApi(api.id),
        () => store.listApis("", 1),
        () => store.getKey(testKeyId(1)),
        () => store.listKeys({}, "", 1),
        () => store.getServedRequest("request"),
        () => store.listAuditEvents({}, 1 as Revision, 1),
        () => store.auditChain(0 as Revision, 1),
        () => store.auditHead(),
        () => store.examineRecords(),
        () => store.redigest([]),
        () => store.usage({ kind: "all" }, 0, 1, 1),
        () => store.lastUses([]),
        () => store.recordUsage({ counts: [], lastUses: [] }),
        () => store.tidyUsage({ goneBefore: 0, daysBefore: 0 }, 1),
        () => store.commit(creation(api, 1), ENTRY),
      ];
      for (const question of questions) await expect(question()).rejects.toMatchObject(UNAVAILABLE);
    });

    it("may be closed again", async () => {
      const { store } = subject;
      await Promise.all([store.close(), store.close()]);
      await expect(store.close()).resolves.toBeUndefined();
    });

    it("has everything when it is opened again, if it leaves anything", async () => {
      const { store, api, reopen } = subject;
      const key = await storedKey(subject, 1);
      await store.close();
      if (reopen === undefined) return;
      const again = await reopen();
      expect((await again.findTokens([digestOf(1)])).value).toEqual([
        { digest: digestOf(1), generation: 1, key },
      ]);
      expect(await again.changesSince(api.revision)).toMatchObject({ complete: true, keyIds: [key.id] });
      expect(await committed(again, creation(api, 2))).toBe(key.revision + 1);
    });
  });
}
