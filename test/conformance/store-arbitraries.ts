import fc from "fast-check";
import type { Api, Environment } from "../../src/domain/api.ts";
import type { Key, KeyState } from "../../src/domain/key.ts";
import type { RateLimit } from "../../src/domain/rate-limit.ts";
import { testApi, testKey } from "../support/records.ts";

/** Any Unicode text, the awkward included: a store keeps text, and does not judge it. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("", "\0", "a\0b", "'; DROP TABLE keys; --", "ﬀ", "\u{1F511}", "\uFFFD", "NULL", "[]"),
);
const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
const optionalTime = fc.option(time);

const rateLimit: fc.Arbitrary<RateLimit> = fc.record({
  name: text,
  quota: fc.integer({ min: 1, max: 1_000_000 }),
  window: fc.integer({ min: 1_000, max: 2_678_400_000 }),
});
const rateLimits = fc.array(rateLimit, { maxLength: 3 });
const labelName = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString"));

export const environment = fc.constantFrom("test" as Environment, "live" as Environment);
export const state = fc.constantFrom<KeyState>("ACTIVE", "DISABLED", "REVOKED");

/** A key of the test API with the test key's id. */
export const anyKey: fc.Arbitrary<Key> = fc
  .record({
    environment,
    owner: text,
    displayName: text,
    scopes: fc.array(text, { maxLength: 5 }),
    allowedCidrs: fc.array(text, { maxLength: 5 }),
    rateLimits,
    metadata: fc
      .array(fc.tuple(labelName, text), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries)),
    state,
    expireTime: optionalTime,
    generation: fc.integer({ min: 1, max: 1_000 }),
    hint: text,
    previousToken: fc.option(fc.record({ hint: text, expireTime: time })),
    createTime: time,
    updateTime: time,
    revokeTime: optionalTime,
  })
  .map((fields) => testKey(fields));

/** An API with the test API's id and token prefix. */
export const anyApi: fc.Arbitrary<Api> = fc
  .record({
    displayName: text,
    environments: fc.array(environment, { maxLength: 8 }),
    scopes: fc.array(fc.record({ name: text, description: text }), { maxLength: 5 }),
    routeRules: fc.array(
      fc.record({
        methods: fc.array(text, { maxLength: 3 }),
        path: text,
        requiredScope: text,
        cost: fc.integer({ min: 0, max: 1_000_000 }),
        environment: text,
      }),
      { maxLength: 5 },
    ),
    keyDefaults: fc.record({ ttl: optionalTime, rateLimits }),
    importedTokenShapes: fc.array(
      fc.record({
        prefix: text,
        minLength: fc.integer({ min: 16, max: 512 }),
        maxLength: fc.integer({ min: 16, max: 512 }),
      }),
      { maxLength: 3 },
    ),
    createTime: time,
    updateTime: time,
  })
  .map((fields) => testApi(fields));
