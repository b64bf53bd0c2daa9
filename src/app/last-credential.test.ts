import { describe, expect, it } from "vitest";
import { binding, of, twoApisPerTest } from "../../test/support/administrators.ts";
import type { Key } from "../domain/key.ts";
import type { AdminParts } from "./admin-parts.ts";
import type { CreateKeyInput } from "./create-key.ts";
import { disableKey } from "./disable-key.ts";
import { revokeKey } from "./revoke-key.ts";
import { updateKey } from "./update-key.ts";

const two = twoApisPerTest();
const { administrator } = two;
const DAY = 24 * 60 * 60 * 1000;
const LAST = { status: "FAILED_PRECONDITION", reason: "LAST_CREDENTIAL" };

describe("the last credential that can create credentials", () => {
  it("is not revoked, disabled, narrowed or bound, by anybody", async () => {
    const { key: last, parts } = await administrator();
    await administrator({ scopes: ["keys:read", "apis:*"] });
    await administrator({ binding: binding(["orders"]) });
    await administrator({ expiration: { ttl: 1_000 } });
    two.authority.clock.now += 1_001;
    expect(await harmed(last, parts)).toEqual([]);
  });

  it.each<[what: string, fields: Partial<CreateKeyInput>]>([
    ["is bound to APIs, Keywarden among them", { binding: binding(["orders", "keywarden"]) }],
    ["is bound to an environment", { binding: binding([], "test") }],
    ["may be used from some networks only", { allowedCidrs: ["192.0.2.0/24"] }],
    ["ends within a day", { expiration: { ttl: DAY } }],
    ["can do less", { scopes: ["keys:*", "apis:*", "audit:read", "usage:read", "verify:call"] }],
  ])("stays also beside one that %s, which could not take its place", async (_what, fields) => {
    const { key: last, parts } = await administrator();
    await administrator(fields);
    expect(await harmed(last, parts)).toEqual([]);
  });

  /** The changes that were made of those that take something from it that it is needed for. */
  async function harmed(last: Key, parts: AdminParts): Promise<readonly number[]> {
    const changes: readonly (() => Promise<Key>)[] = [
      () => revokeKey(parts, of(last)),
      () => disableKey(two.authority.parts, of(last)),
      () => updateKey(parts, of(last), { scopes: ["keys:write"] }),
      () => updateKey(parts, of(last), { scopes: ["keys:read"] }),
      () => updateKey(parts, of(last), { binding: binding(["orders"]) }),
      () => updateKey(parts, of(last), { allowedCidrs: ["192.0.2.0/24"] }),
      () => updateKey(parts, of(last), { expiration: { ttl: 1_000 } }),
      () => updateKey(parts, of(last), { expiration: { ttl: DAY } }),
    ];
    const made: number[] = [];
    for (const [index, change] of changes.entries()) {
      const reason = await change().then(
        () => "made",
        (error) => error.reason,
      );
      if (reason !== "LAST_CREDENTIAL") made.push(index);
    }
    expect(await two.authority.parts.store.getKey(last.id)).toEqual(last);
    await updateKey(parts, of(last), { displayName: "still here", expiration: { ttl: DAY + 1 } });
    return made;
  }

  it("stays where none has the scope *, and where it ends within a day itself", async () => {
    const { key: last } = await administrator({ scopes: ["keys:write"], expiration: { ttl: 60_000 } });
    await administrator({ scopes: ["keys:read"] });
    await expect(revokeKey(two.authority.parts, of(last))).rejects.toMatchObject(LAST);
  });

  it("is one of two that are revoked at the same moment", async () => {
    const one = await administrator();
    const two = await administrator();
    const outcomes = await Promise.allSettled([
      revokeKey(one.parts, of(two.key)),
      revokeKey(two.parts, of(one.key)),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  it("can go once there is another", async () => {
    const { key: first, parts } = await administrator();
    await administrator({ expiration: { ttl: DAY + 1 } });
    expect(await revokeKey(parts, of(first))).toMatchObject({ state: "REVOKED" });
  });
});
