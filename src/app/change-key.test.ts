import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import type { Key } from "../domain/key.ts";
import type { Revision } from "../domain/revision.ts";
import { disableKey } from "./disable-key.ts";
import { enableKey } from "./enable-key.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";
import { updateKey } from "./update-key.ts";

let authority: Authority;
let key: Key;
let token: string;
beforeEach(async () => {
  authority = await createAuthority();
  ({ key, token } = await authority.key({ scopes: ["orders:read"] }));
});

const of = ({ id }: Key, etag = "") => ({ keyId: id, etag });

describe("every change", () => {
  const changes: readonly (readonly [
    string,
    (reference: { keyId: string; etag: string }) => Promise<unknown>,
  ])[] = [
    ["revoke", (reference) => revokeKey(authority.parts, reference)],
    ["disable", (reference) => disableKey(authority.parts, reference)],
    ["update", (reference) => updateKey(authority.parts, reference, { displayName: "new" })],
    ["rotate", (reference) => rotateKey(authority.parts, reference, 0, "")],
  ];
  for (const [name, change] of changes) {
    it(`${name} refuses a key that is not there and an old etag`, async () => {
      await expect(change({ keyId: randomUUID(), etag: "" })).rejects.toMatchObject({
        reason: "KEY_NOT_FOUND",
      });
      await expect(change(of(key, "999"))).rejects.toMatchObject({
        status: "ABORTED",
        reason: "ETAG_MISMATCH",
      });
      expect(await authority.parts.store.getKey(key.id)).toEqual(key);
      await change(of(key, String(key.revision)));
      expect((await authority.parts.store.getKey(key.id))?.revision).toBeGreaterThan(key.revision);
    });
  }

  it("of 32 at once is made whole, one after the other", async () => {
    const patches = Array.from({ length: 8 }, (_, index) => ({ metadata: { [`label${index}`]: "x" } }));
    await Promise.all(patches.map((patch) => updateKey(authority.parts, of(key), patch)));
    const stored = await authority.parts.store.getKey(key.id);
    expect(Number(stored?.revision) - key.revision).toBe(8);
  });
});

it("revokes for good: the token is denied at once, and nothing brings the key back", async () => {
  const revoked = await revokeKey(authority.parts, of(key));
  expect(revoked).toMatchObject({ state: "REVOKED", revokeTime: authority.clock.now });
  expect(await authority.verify(token)).toBe("REVOKED");
  expect(await revokeKey(authority.parts, of(key))).toEqual(revoked);
  for (const change of [
    enableKey(authority.parts, of(key)),
    disableKey(authority.parts, of(key)),
    updateKey(authority.parts, of(key), { displayName: "x" }),
    rotateKey(authority.parts, of(key), 0, ""),
  ]) {
    await expect(change).rejects.toMatchObject({ status: "FAILED_PRECONDITION", reason: "KEY_REVOKED" });
  }
});

it("disables and enables", async () => {
  await disableKey(authority.parts, of(key));
  expect(await authority.verify(token)).toBe("DISABLED");
  await enableKey(authority.parts, of(key));
  expect(await authority.verify(token)).toBe("ALLOWED");
});

describe("rotation", () => {
  async function rotated(grace: number, requestId = "") {
    const issued = await rotateKey(authority.parts, of(key), grace, requestId);
    if (issued.replayed) throw new Error("not a replay");
    return issued.token.reveal();
  }

  it("without a grace ends the old token at once", async () => {
    const next = await rotated(0);
    expect(await authority.verify(token)).toBe("EXPIRED");
    expect(await authority.verify(next)).toBe("ALLOWED");
  });

  it("without a grace ends the old token for good, also for a clock that goes back", async () => {
    await rotated(0);
    authority.clock.now -= 100_000;
    expect(await authority.verify(token)).toBe("EXPIRED");
  });

  it("with a grace accepts both until it is over, to the millisecond", async () => {
    const next = await rotated(10_000);
    expect(await authority.verify(token)).toBe("ALLOWED");
    authority.clock.now += 9_999;
    expect(await authority.verify(token)).toBe("ALLOWED");
    authority.clock.now += 1;
    expect(await authority.verify(token)).toBe("EXPIRED");
    expect(await authority.verify(next)).toBe("ALLOWED");
  });

  it("twice within a grace ends the oldest token at once", async () => {
    const second = await rotated(10_000);
    const third = await rotated(10_000);
    expect(await authority.verify(token)).toBe("EXPIRED");
    expect(await authority.verify(second)).toBe("ALLOWED");
    expect(await authority.verify(third)).toBe("ALLOWED");
  });

  it("keeps id, scopes and what is spent of the limits", async () => {
    const limited = await authority.key({
      rateLimits: [{ name: "d", quota: 1, window: 60_000 }],
      scopes: ["a"],
    });
    expect(await authority.verify(limited.token)).toBe("ALLOWED");
    const issued = await rotateKey(authority.parts, of(limited.key), 10_000, "");
    expect(issued.key).toMatchObject({
      id: limited.key.id,
      scopes: ["a"],
      previousToken: { hint: limited.key.hint },
    });
    expect(await authority.verify(limited.token)).toBe("RATE_LIMITED");
  });

  it("refuses a grace that is negative or too long, and an expired key", async () => {
    for (const grace of [-1, 31 * 86_400_000 + 1, Number.NaN]) {
      await expect(rotated(grace)).rejects.toMatchObject({ violations: [{ field: "grace" }] });
    }
    await updateKey(authority.parts, of(key), { expiration: { ttl: 1_000 } });
    authority.clock.now += 1_000;
    await expect(rotated(0)).rejects.toMatchObject({ reason: "KEY_EXPIRED" });
  });

  it("with a request id makes one token however often it is sent, also with the etag that it changed", async () => {
    const id = randomUUID();
    const reference = of(key, String(key.revision));
    const first = await rotateKey(authority.parts, reference, 0, id);
    const again = await rotateKey(authority.parts, reference, 0, id);
    expect(first.replayed).toBe(false);
    expect(again).toEqual({ key: first.key, replayed: true });
    await expect(rotateKey(authority.parts, reference, 1, id)).rejects.toMatchObject({
      reason: "REQUEST_ID_REUSED",
    });
  });

  it("sent many times at once with one request id makes one token", async () => {
    const id = randomUUID();
    const issued = await Promise.all(
      Array.from({ length: 8 }, () => rotateKey(authority.parts, of(key), 0, id)),
    );
    expect(issued.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(issued.every(({ key }) => key.generation === 2)).toBe(true);
  });
});

describe("update", () => {
  it("changes what is named and nothing else", async () => {
    const updated = await updateKey(authority.parts, of(key), {
      scopes: ["files:*"],
      allowedCidrs: ["192.0.2.0/24"],
      metadata: { a: "b" },
    });
    expect(updated).toEqual({
      ...key,
      scopes: ["files:*"],
      allowedCidrs: ["192.0.2.0/24"],
      metadata: { a: "b" },
      updateTime: authority.clock.now,
      revision: (key.revision + 1) as Revision,
    });
    expect(await authority.verify(token, { requiredScope: "orders:read" })).toBe("IP_NOT_ALLOWED");
  });

  it("moves and removes the expiry", async () => {
    await updateKey(authority.parts, of(key), { expiration: { ttl: 1_000 } });
    authority.clock.now += 1_000;
    expect(await authority.verify(token)).toBe("EXPIRED");
    expect(await updateKey(authority.parts, of(key), { expiration: { at: null } })).toMatchObject({
      expireTime: null,
    });
    expect(await authority.verify(token)).toBe("ALLOWED");
  });

  it("checks what it changes, and not what stays: an expired key can be renamed", async () => {
    await updateKey(authority.parts, of(key), { expiration: { ttl: 1_000 } });
    authority.clock.now += 2_000;
    expect(await updateKey(authority.parts, of(key), { displayName: "old" })).toMatchObject({
      displayName: "old",
    });
    await expect(updateKey(authority.parts, of(key), { expiration: { ttl: 0 } })).rejects.toMatchObject({
      violations: [{ field: "key.ttl" }],
    });
    await expect(updateKey(authority.parts, of(key), { scopes: ["ok", "a::b"] })).rejects.toMatchObject({
      violations: [{ field: "key.scopes[1]" }],
    });
  });
});
