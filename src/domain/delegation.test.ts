import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testKey } from "../../test/support/records.ts";
import { type ApiId, BUILT_IN_API, type Environment } from "./api.ts";
import { canAdminister, excessOf, isBoundTo, NEEDED_CREDENTIALS } from "./delegation.ts";
import type { Key } from "./key.ts";
import { compileGrants, grantCovers, grantsFor, type Scope } from "./scope.ts";

const segment = fc.constantFrom("a", "b", "*");
const grant = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join(":"));
const scope = fc
  .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join(":") as Scope);

const credential = (fields: Partial<Key> = {}) =>
  testKey({ api: BUILT_IN_API, scopes: ["keys:write"], ...fields });
const bound = (apis: readonly string[], environment: string | null = null) => ({
  apis: apis as readonly ApiId[],
  environment: environment as Environment | null,
});

describe("a grant that another covers", () => {
  it("gives no scope that the other does not give", () => {
    fc.assert(
      fc.property(grant, grant, scope, (held, given, asked) => {
        fc.pre(grantCovers(held, given));
        const isGiven = compileGrants([given]).covers(asked);
        expect(isGiven && !compileGrants([held]).covers(asked)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is told from one that gives a scope more", () => {
    // Every scope of up to six segments: one more than the longest grant has, of one letter more than it names.
    const letters = ["a", "b", "c"];
    let scopes: string[] = [""];
    const all: string[] = [];
    for (let length = 1; length <= 5; length++) {
      scopes = scopes.flatMap((start) =>
        letters.map((letter) => (start === "" ? letter : `${start}:${letter}`)),
      );
      all.push(...scopes);
    }
    fc.assert(
      fc.property(grant, grant, (held, given) => {
        const wide = compileGrants([held]);
        const narrow = compileGrants([given]);
        const gives = all.filter((name) => narrow.covers(name as Scope));
        expect(grantCovers(held, given)).toBe(gives.every((name) => wide.covers(name as Scope)));
      }),
      { numRuns: 300 },
    );
  });

  it("is found by the list of all that give a scope", () => {
    fc.assert(
      fc.property(grant, scope, (given, asked) => {
        expect(grantsFor(asked).includes(given)).toBe(compileGrants([given]).covers(asked));
      }),
      { numRuns: 2_000 },
    );
    expect(grantsFor("a:b:c:d:e:f:g:h" as Scope)).toHaveLength(383);
  });
});

describe("nobody gives more than they hold", () => {
  const fields = (giver: Partial<Key>, given: Partial<Key>) =>
    excessOf(credential(giver), credential(given)).map(({ field }) => field);

  it.each<[what: string, giver: Partial<Key>, given: Partial<Key>, excess: readonly string[]]>([
    ["the same", {}, {}, []],
    ["a scope less", { scopes: ["keys:*"] }, { scopes: ["keys:read"] }, []],
    ["a scope more", { scopes: ["keys:*"] }, { scopes: ["keys:read", "apis:read"] }, ["key.scopes[1]"]],
    [
      "a wildcard for a scope",
      { scopes: ["keys:read", "keys:write"] },
      { scopes: ["keys:*"] },
      ["key.scopes[0]"],
    ],
    ["everything for something", {}, { scopes: ["*"] }, ["key.scopes[0]"]],
    ["no scope", { scopes: [] }, { scopes: [] }, []],
    ["a binding of one's own", {}, { binding: bound(["c2p"], "test") }, []],
    ["the same binding", { binding: bound(["c2p"], "test") }, { binding: bound(["c2p"], "test") }, []],
    ["fewer APIs", { binding: bound(["a", "b"]) }, { binding: bound(["b"]) }, []],
    ["another API", { binding: bound(["a", "b"]) }, { binding: bound(["b", "c"]) }, ["key.binding.apis"]],
    ["all APIs", { binding: bound(["a"]) }, { binding: bound([], "test") }, ["key.binding.apis"]],
    [
      "no binding",
      { binding: bound(["a"], "test") },
      { binding: null },
      ["key.binding.apis", "key.binding.environment"],
    ],
    [
      "another environment",
      { binding: bound([], "test") },
      { binding: bound([], "live") },
      ["key.binding.environment"],
    ],
    [
      "all environments",
      { binding: bound([], "test") },
      { binding: bound(["a"]) },
      ["key.binding.environment"],
    ],
    [
      "a network within",
      { allowedCidrs: ["10.0.0.0/8"] },
      { allowedCidrs: ["10.1.0.0/16", "10.2.0.1/32"] },
      [],
    ],
    [
      "a network beside",
      { allowedCidrs: ["10.0.0.0/8"] },
      { allowedCidrs: ["11.0.0.0/16"] },
      ["key.allowed_cidrs"],
    ],
    [
      "a wider network",
      { allowedCidrs: ["10.0.0.0/8"] },
      { allowedCidrs: ["10.0.0.0/7"] },
      ["key.allowed_cidrs"],
    ],
    ["any network", { allowedCidrs: ["10.0.0.0/8"] }, { allowedCidrs: [] }, ["key.allowed_cidrs"]],
    [
      "a network of the other family",
      { allowedCidrs: ["0.0.0.0/0"] },
      { allowedCidrs: ["::/0"] },
      ["key.allowed_cidrs"],
    ],
    ["less time", { expireTime: 10 }, { expireTime: 9 }, []],
    ["as much time", { expireTime: 10 }, { expireTime: 10 }, []],
    ["more time", { expireTime: 10 }, { expireTime: 11 }, ["key.expire_time"]],
    ["all time", { expireTime: 10 }, { expireTime: null }, ["key.expire_time"]],
  ])("%s", (_what, giver, given, excess) => {
    expect(fields(giver, given)).toEqual(excess);
  });

  it("whatever both are: what is given gives nobody a scope, an API or a time that the giver has not", () => {
    const binding = fc.option(
      fc.record({
        apis: fc.subarray(["a", "b", "c"]).map((apis) => apis as unknown as readonly ApiId[]),
        environment: fc.option(fc.constantFrom("test" as Environment, "live" as Environment)),
      }),
    );
    const key = fc
      .record({ scopes: fc.array(grant, { maxLength: 3 }), binding, expireTime: fc.option(fc.nat(5)) })
      .map(credential);
    fc.assert(
      fc.property(key, key, scope, fc.constantFrom("a", "b", "c"), (giver, given, asked, api) => {
        fc.pre(excessOf(giver, given).length === 0);
        if (compileGrants(given.scopes).covers(asked)) {
          expect(compileGrants(giver.scopes).covers(asked)).toBe(true);
        }
        for (const environment of ["test", "live"] as Environment[]) {
          if (isBoundTo(given, api as ApiId, environment))
            expect(isBoundTo(giver, api as ApiId, environment)).toBe(true);
        }
        expect(given.expireTime ?? Infinity).toBeLessThanOrEqual(giver.expireTime ?? Infinity);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("who can create credentials", () => {
  it.each<[what: string, fields: Partial<Key>, can: boolean]>([
    ["a credential with keys:write", {}, true],
    ["one with everything", { scopes: ["*"] }, true],
    ["one that only reads", { scopes: ["keys:read"] }, false],
    ["a key of a product", { api: "c2p" as ApiId, scopes: ["*"] }, false],
    ["one that is disabled", { state: "DISABLED" }, false],
    ["one that is revoked", { state: "REVOKED" }, false],
    ["one that has expired", { expireTime: 100 }, false],
    ["one that has not yet", { expireTime: 101 }, true],
    ["one that is bound to a product", { binding: bound(["c2p"]) }, false],
    ["one that is bound to credentials too", { binding: bound(["c2p", "keywarden"]) }, true],
  ])("%s: %s", (_what, fields, can) => {
    expect(canAdminister(credential(fields), 100)).toBe(can);
  });
});

describe("what the last of must stay", () => {
  it.each<[what: string, fields: Partial<Key>, kinds: number]>([
    ["a credential that only reads", { scopes: ["keys:read"] }, 0],
    ["one that creates others, within what it is bound to", { binding: bound([], "test") }, 1],
    ["from some networks", { allowedCidrs: ["10.0.0.0/8"] }, 1],
    ["for a day", { expireTime: 100 + 86_400_000 }, 1],
    ["for more than a day", { expireTime: 101 + 86_400_000 }, 2],
    ["whatever keys do", { scopes: ["keys:*"] }, 2],
    ["everything", { scopes: ["*"] }, 3],
  ])("%s", (_what, fields, kinds) => {
    expect(NEEDED_CREDENTIALS.filter((isNeeded) => isNeeded(credential(fields), 100))).toHaveLength(kinds);
  });
});

it("a credential that is bound to an environment acts on keys of that, and on nothing that is for all of them", () => {
  const key = { binding: bound([], "test") };
  expect(isBoundTo(key, "c2p" as ApiId, "test" as Environment)).toBe(true);
  expect(isBoundTo(key, "c2p" as ApiId, "live" as Environment)).toBe(false);
  expect(isBoundTo(key, "c2p" as ApiId, undefined)).toBe(false);
});
