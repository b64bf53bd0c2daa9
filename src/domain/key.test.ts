import { describe, expect, test } from "vitest";
import type { ApiId, Environment } from "./api.ts";
import { cidrContains } from "./cidr.ts";
import { parseIp } from "./client-ip.ts";
import { compileKey, disable, enable, type Key, type KeyId, type KeyState, revoke, rotate } from "./key.ts";
import { MAX_QUOTA, MAX_WINDOW } from "./rate-limit.ts";
import type { Revision } from "./revision.ts";
import type { Scope } from "./scope.ts";

const NOW = 1_800_000_000_000;
const key: Key = {
  id: "0190d3a0-0000-7000-8000-000000000001" as KeyId,
  api: "c2p" as ApiId,
  environment: "test" as Environment,
  owner: "acct_42",
  displayName: "CI",
  scopes: ["orders:read", "files:*"],
  allowedCidrs: ["203.0.113.0/24", "2001:db8::/32"],
  rateLimits: [{ name: "default", quota: 100, window: 60_000 }],
  metadata: { team: "print" },
  binding: null,
  state: "ACTIVE",
  expireTime: NOW + 1000,
  generation: 3,
  hint: "c2p_test_…3333",
  previousToken: { hint: "c2p_test_…2222", expireTime: NOW + 500 },
  createTime: NOW - 1000,
  updateTime: NOW - 500,
  revokeTime: null,
  revision: 7 as Revision,
};
const disabled: Key = { ...key, state: "DISABLED" };
const revoked: Key = { ...key, state: "REVOKED", revokeTime: NOW, updateTime: NOW };

describe("a compiled key", () => {
  test("answers for its grants and networks", () => {
    const record = compileKey(key, 3);
    expect(record.key).toBe(key);
    expect(record.grants.covers("files:write" as Scope)).toBe(true);
    expect(record.grants.covers("orders:write" as Scope)).toBe(false);
    expect(record.networks.map((network) => cidrContains(network, parseIp("203.0.113.7")!))).toEqual([
      true,
      false,
    ]);
  });

  test("accepts its current token for ever, the one before until its grace is over, and no other", () => {
    expect(compileKey(key, 3).tokenEnd).toBe(Infinity);
    expect(compileKey(key, 2).tokenEnd).toBe(NOW + 500);
    for (const generation of [1, 0, 4, Number.NaN])
      expect(compileKey(key, generation).tokenEnd).toBe(-Infinity);
    expect(compileKey({ ...key, previousToken: null }, 2).tokenEnd).toBe(-Infinity);
  });

  test.each<[string, Partial<Key>]>([
    ["a grant", { scopes: ["orders:read", "or*"] }],
    ["a network", { allowedCidrs: ["203.0.113.0/24", "203.0.113.1/24"] }],
    ["a state", { state: "active" as KeyState }],
    ["an expire time", { expireTime: Number.NaN }],
    ["an expire time", { expireTime: undefined as unknown as null }],
    ["a generation", { generation: 0 }],
    ["a generation", { generation: 1.5 }],
    ["a quota", { rateLimits: [{ name: "a", quota: 0, window: 1000 }] }],
    ["a quota", { rateLimits: [{ name: "a", quota: MAX_QUOTA + 1, window: 1000 }] }],
    ["a quota", { rateLimits: [{ name: "a", quota: 1.5, window: 1000 }] }],
    ["a window", { rateLimits: [{ name: "a", quota: 1, window: 999 }] }],
    ["a window", { rateLimits: [{ name: "a", quota: 1, window: MAX_WINDOW + 1 }] }],
    ["a window", { rateLimits: [{ name: "a", quota: 1, window: 1000.5 }] }],
    ["one of several limits", { rateLimits: [...key.rateLimits, { name: "a", quota: 0, window: 1000 }] }],
  ])("can't be made where %s can't be read: %j", (_, broken) => {
    expect(() => compileKey({ ...key, ...broken }, 3)).toThrow(RangeError);
  });

  test("that can't be made says what of which key is broken", () => {
    expect(() => compileKey({ ...key, state: "" as KeyState }, 3)).toThrow(
      `the stored state of key ${key.id}`,
    );
    expect(() => compileKey({ ...key, generation: -1 }, 3)).toThrow("stored generation");
    expect(() => compileKey({ ...key, expireTime: 0.5 }, 3)).toThrow("stored expire time");
    expect(() => compileKey({ ...key, rateLimits: [{ name: "", quota: -1, window: 0 }] }, 3)).toThrow(
      "rate limits",
    );
  });

  test.each<Partial<Key>>([
    { state: "DISABLED" },
    { state: "REVOKED" },
    { expireTime: null },
    { generation: 1 },
    { rateLimits: [{ name: "a", quota: 1, window: 1000 }] },
    { rateLimits: [{ name: "a", quota: MAX_QUOTA, window: MAX_WINDOW }] },
    { rateLimits: [], scopes: [], allowedCidrs: [] },
  ])("can be made with %j", (other) => expect(compileKey({ ...key, ...other }, 3).key).toMatchObject(other));
});

describe("revoking", () => {
  test("ends a key, and is final", () => {
    expect(revoke(key, NOW)).toEqual(revoked);
    expect(revoke(disabled, NOW).state).toBe("REVOKED");
    expect(revoke(revoked, NOW + 5)).toBe(revoked);
  });

  const refusal = {
    status: "FAILED_PRECONDITION",
    reason: "KEY_REVOKED",
    message: `key ${key.id} is revoked, which is final: create a new key`,
  };
  test.each([
    ["disabled", () => disable(revoked, NOW)],
    ["enabled", () => enable(revoked, NOW)],
    ["rotated", () => rotate(revoked, { hint: "", graceEnd: NOW, now: NOW })],
  ])("a revoked key can't be %s", (_, change) => {
    expect(change).toThrow(expect.objectContaining(refusal));
  });
});

test("a key is disabled and enabled again, and stays the same if nothing changes", () => {
  expect(disable(key, NOW)).toEqual({ ...key, state: "DISABLED", updateTime: NOW });
  expect(enable(disabled, NOW)).toEqual({ ...key, updateTime: NOW });
  expect(disable(disabled, NOW)).toBe(disabled);
  expect(enable(key, NOW)).toBe(key);
});

describe("rotating", () => {
  const rotation = { hint: "c2p_test_…4444", graceEnd: NOW + 60_000, now: NOW };

  test("makes a new current token; the old one gets a grace, the one before that is gone", () => {
    const rotated = rotate(key, rotation);
    expect(rotated).toEqual({
      ...key,
      generation: 4,
      hint: "c2p_test_…4444",
      previousToken: { hint: "c2p_test_…3333", expireTime: NOW + 60_000 },
      updateTime: NOW,
    });
    expect([4, 3, 2].map((generation) => compileKey(rotated, generation).tokenEnd)).toEqual([
      Infinity,
      NOW + 60_000,
      -Infinity,
    ]);
  });

  test("is possible until the key expires", () => {
    expect(rotate({ ...key, expireTime: NOW + 1 }, rotation).generation).toBe(4);
    expect(rotate({ ...key, expireTime: null }, rotation).generation).toBe(4);
    expect(rotate(disabled, rotation).state).toBe("DISABLED");
    const refusal = {
      status: "FAILED_PRECONDITION",
      reason: "KEY_EXPIRED",
      message: `key ${key.id} has expired: extend it before you rotate it`,
    };
    for (const expireTime of [NOW, NOW - 1]) {
      expect(() => rotate({ ...key, expireTime }, rotation)).toThrow(expect.objectContaining(refusal));
    }
  });
});
