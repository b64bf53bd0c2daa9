import { describe, expect, test } from "vitest";
import type { ApiId, Environment } from "./api.ts";
import { canonicalKeyFields, checkKeyFields, type KeyFields } from "./key-rules.ts";

const NOW = 1_800_000_000_000;
const api = {
  id: "c2p" as ApiId,
  environments: ["test", "live"] as Environment[],
  scopes: ["orders:read", "orders:write", "files:read"].map((name) => ({ name, description: "" })),
};
const limit = { name: "default", quota: 100, window: 60_000 };
const times = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, i) => item(i));
const labels = (count: number) => Object.fromEntries(times(count, (i) => [`n${i}`, ""]));

describe("a key may have", () => {
  test.each<[string, KeyFields]>([
    ["nothing said of it", {}],
    [
      "all that an ordinary one has",
      {
        environment: "live",
        owner: "acct_42",
        displayName: "CI für Straße 🏭",
        scopes: ["orders:read", "files:*", "*"],
        allowedCidrs: ["203.0.113.0/24", "::/0"],
        rateLimits: [limit],
        metadata: { "Team.a_b-9": "print" },
        expireTime: NOW + 1,
      },
    ],
    [
      "empty lists and texts, and no end",
      { displayName: "", scopes: [], allowedCidrs: [], rateLimits: [], metadata: {}, expireTime: null },
    ],
    [
      "the longest texts, in characters of one unit",
      { owner: "x", displayName: "x".repeat(128), metadata: { x: "x".repeat(512), ["y".repeat(64)]: "" } },
    ],
    [
      "the longest owner, in characters of two units, and 32 labels",
      { owner: "🏭".repeat(128), metadata: labels(32) },
    ],
    [
      "100 scopes and 100 networks",
      { scopes: times(100, () => "orders:read"), allowedCidrs: times(100, () => "::1") },
    ],
    ["8 rate limits", { rateLimits: times(8, (i) => ({ ...limit, name: `l${i}` })) }],
    ["the smallest rate limit", { rateLimits: [{ name: "a", quota: 1, window: 1000 }] }],
    [
      "the greatest rate limit, with the longest name",
      { rateLimits: [{ name: "a_-9".repeat(8), quota: 1_000_000, window: 31 * 86_400_000 }] },
    ],
    ["an end in the last millisecond of the year 9999", { expireTime: 253_402_300_799_999 }],
  ])("%s", (_, fields) => expect(checkKeyFields(fields, api, NOW)).toEqual([]));

  test("any scope, if its API has no catalogue", () => {
    expect(checkKeyFields({ scopes: ["anything:at:all"] }, { ...api, scopes: [] }, NOW)).toEqual([]);
  });
});

describe("a key may not have", () => {
  const WINDOW = "is from 1 second to 31 days, in whole milliseconds";
  const QUOTA = "is a whole number from 1 to 1,000,000";
  const LIMIT_NAME = "is 1 to 32 of a-z, 0-9, '_' and '-', starting with a letter";
  const LABEL = "has a name that is not 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'";

  const cases: readonly [KeyFields, string, string][] = [
    [{ environment: "prod" }, "key.environment", '"prod" is no environment of c2p: it has test, live'],
    [{ environment: "" }, "key.environment", "is required: it has test, live"],
    [{ owner: "" }, "key.owner", "is required"],
    [{ owner: "x".repeat(129) }, "key.owner", "has at most 128 characters, this one 129"],
    [{ owner: "🏭".repeat(129) }, "key.owner", "has at most 128 characters, this one 258"],
    [{ owner: "🏭".repeat(65) + "x".repeat(64) }, "key.owner", "has at most 128 characters, this one 129"],
    [{ owner: "a\nb" }, "key.owner", "has the control or format character U+000A, which does not show"],
    [{ owner: "a\u0085b" }, "key.owner", "has the control or format character U+0085, which does not show"],
    [{ owner: "a\u202eb" }, "key.owner", "has the control or format character U+202E, which does not show"],
    [{ owner: "a\ud800b" }, "key.owner", "has the control or format character U+D800, which does not show"],
    [{ owner: "a\u2028b" }, "key.owner", "has the control or format character U+2028, which does not show"],
    [{ owner: "a\u2029b" }, "key.owner", "has the control or format character U+2029, which does not show"],
    [
      { displayName: "a\u{e0001}" },
      "key.display_name",
      "has the control or format character U+E0001, which does not show",
    ],
    [{ displayName: "x".repeat(129) }, "key.display_name", "has at most 128 characters, this one 129"],
    [{ scopes: times(101, () => "orders:read") }, "key.scopes", "has at most 100 entries, this one 101"],
    [
      { scopes: ["orders:read", "ord*"] },
      "key.scopes[1]",
      "\"ord*\": '*' stands for a whole segment, not a part of one",
    ],
    [
      { scopes: ["order:read"] },
      "key.scopes[0]",
      '"order:read" covers no scope of c2p; did you mean orders:read?',
    ],
    [
      { scopes: ["orders:wrote"] },
      "key.scopes[0]",
      '"orders:wrote" covers no scope of c2p; did you mean orders:write?',
    ],
    [{ scopes: ["cart:*"] }, "key.scopes[0]", '"cart:*" covers no scope of c2p'],
    [
      { scopes: ["orders:read:*"] },
      "key.scopes[0]",
      '"orders:read:*" covers no scope of c2p; did you mean orders:read?',
    ],
    [{ allowedCidrs: times(101, () => "::1") }, "key.allowed_cidrs", "has at most 100 entries, this one 101"],
    [
      { allowedCidrs: ["::1", "10.1.2.3/8"] },
      "key.allowed_cidrs[1]",
      '"10.1.2.3/8" has bits set after its prefix: did you mean 10.0.0.0/8?',
    ],
    [
      { rateLimits: times(9, (i) => ({ ...limit, name: `l${i % 8}` })) },
      "key.rate_limits",
      "has at most 8 entries, this one 9",
    ],
    [{ rateLimits: [limit, limit] }, "key.rate_limits[1].name", '"default" is key.rate_limits[0] already'],
    [{ rateLimits: [{ ...limit, name: "" }] }, "key.rate_limits[0].name", LIMIT_NAME],
    [{ rateLimits: [{ ...limit, name: "9a" }] }, "key.rate_limits[0].name", LIMIT_NAME],
    [{ rateLimits: [{ ...limit, name: "aB" }] }, "key.rate_limits[0].name", LIMIT_NAME],
    [{ rateLimits: [{ ...limit, name: "a\n" }] }, "key.rate_limits[0].name", LIMIT_NAME],
    [{ rateLimits: [{ ...limit, name: "a".repeat(33) }] }, "key.rate_limits[0].name", LIMIT_NAME],
    [{ rateLimits: [{ ...limit, quota: 0 }] }, "key.rate_limits[0].quota", QUOTA],
    [{ rateLimits: [{ ...limit, quota: 1.5 }] }, "key.rate_limits[0].quota", QUOTA],
    [{ rateLimits: [limit, { ...limit, name: "b", quota: 1_000_001 }] }, "key.rate_limits[1].quota", QUOTA],
    [{ rateLimits: [{ ...limit, window: 999 }] }, "key.rate_limits[0].window", WINDOW],
    [{ rateLimits: [{ ...limit, window: 1000.5 }] }, "key.rate_limits[0].window", WINDOW],
    [{ rateLimits: [{ ...limit, window: 31 * 86_400_000 + 1 }] }, "key.rate_limits[0].window", WINDOW],
    [{ metadata: labels(33) }, "key.metadata", "has at most 32 entries, this one 33"],
    [{ metadata: { "": "" } }, 'key.metadata[""]', LABEL],
    [{ metadata: { "a b": "" } }, 'key.metadata["a b"]', LABEL],
    [{ metadata: { "a\u202e": "" } }, 'key.metadata["a\\u{202e}"]', LABEL],
    [{ metadata: { ["x".repeat(65)]: "" } }, `key.metadata["${"x".repeat(60)}…"]`, LABEL],
    [{ metadata: { a: "x".repeat(513) } }, 'key.metadata["a"]', "has at most 512 characters, this one 513"],
    [
      { metadata: { ok: "", a: "\u0000" } },
      'key.metadata["a"]',
      "has the control or format character U+0000, which does not show",
    ],
    [{ expireTime: NOW }, "key.expire_time", "is in the past: a key expires in the future, or never"],
    [{ expireTime: Number.NaN }, "key.expire_time", "is an instant, to the millisecond"],
    [{ expireTime: NOW + 0.5 }, "key.expire_time", "is an instant, to the millisecond"],
    [
      { expireTime: 253_402_300_800_000 },
      "key.expire_time",
      "is before the year 10000; leave it out for a key that never expires",
    ],
  ];
  const titled = cases.map(([fields, field, description]) => ({ fields, field, description }));
  test.each(titled)("%#: $field that $description", ({ fields, field, description }) => {
    expect(checkKeyFields(fields, api, NOW)).toEqual([{ field, description }]);
  });

  test("several things at once, and hears of all of them", () => {
    const violations = checkKeyFields({ owner: "", scopes: ["", "a b"], expireTime: 0 }, api, NOW);
    expect(violations.map(({ field }) => field)).toEqual([
      "key.owner",
      "key.scopes[0]",
      "key.scopes[1]",
      "key.expire_time",
    ]);
  });
});

test("a key is stored with its networks in one spelling and nothing twice, in the order given", () => {
  const fields = {
    owner: "acct_42",
    scopes: ["files:*", "orders:read", "files:*"],
    allowedCidrs: ["::ffff:10.0.0.0/104", "2001:DB8:0::1", "10.0.0.0/8", "unreadable"],
  };
  expect(canonicalKeyFields(fields)).toEqual({
    owner: "acct_42",
    scopes: ["files:*", "orders:read"],
    allowedCidrs: ["10.0.0.0/8", "2001:db8::1/128", "unreadable"],
  });
});
