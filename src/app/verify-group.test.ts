import { describe, expect, it } from "vitest";
import { question } from "../../test/support/question.ts";
import { ENTRY } from "../../test/support/records.ts";
import { verifierPerTest } from "../../test/support/verifier-per-test.ts";
import type { Verification, VerifyRequest } from "./verification.ts";

const own = verifierPerTest();
const { ask, stored, unknownToken } = own;
const limits = [{ name: "default", quota: 10, window: 10_000 }];

describe("a group", () => {
  function group(requests: readonly Partial<VerifyRequest>[]): Promise<string[]> {
    const answers = requests.map((request) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const verification: Verification = {
        request: question(request),
        peer: "",
        isOver: () => false,
        decided: ({ decision }) => resolve(decision.reason),
        failed: (error) => resolve(error.reason),
      };
      return { verification, promise };
    });
    own.verifier.verify(answers.map(({ verification }) => verification));
    return Promise.all(answers.map(({ promise }) => promise));
  }

  it("makes one freshness check and one read, and answers each", async () => {
    const tokens = [
      (await stored()).token,
      (await stored({ state: "DISABLED" })).token,
      (await stored()).token,
    ];
    own.checks = 0;
    const requests = [...tokens, ...tokens, unknownToken(), ""].map((token) => ({ token }));
    expect(await group(requests)).toEqual([
      "ALLOWED",
      "DISABLED",
      "ALLOWED",
      "ALLOWED",
      "DISABLED",
      "ALLOWED",
      "UNKNOWN_TOKEN",
      "MISSING_TOKEN",
    ]);
    expect({ checks: own.checks, reads: own.reads }).toEqual({ checks: 1, reads: 1 });
    await group(requests);
    expect({ checks: own.checks, reads: own.reads }).toEqual({ checks: 2, reads: 1 });
  });

  it("asks the store nothing about tokens that cannot be allowed, nor for a request that is wrong", async () => {
    expect(
      await group([
        { token: "" },
        { token: "c2p_live_short" },
        { token: unknownToken("zzz") },
        { token: unknownToken("ord", "live") },
        { token: unknownToken("oth"), api: "orders" },
        { token: unknownToken(), requiredScope: "(" },
      ]),
    ).toEqual([
      "MISSING_TOKEN",
      "MALFORMED_TOKEN",
      "UNKNOWN_TOKEN",
      "WRONG_ENVIRONMENT",
      "WRONG_API",
      "INVALID_SCOPE_EXPRESSION",
    ]);
    expect(own.reads).toBe(0);
  });

  it("charges in its order, each to all limits or to none", async () => {
    const { token } = await stored({ rateLimits: limits });
    await ask({ token, dryRun: true });
    const asked = [{ cost: 6 }, { cost: 5 }, { cost: 4 }, { cost: 1 }].map(({ cost }) => ({ token, cost }));
    expect(await group(asked)).toEqual(["ALLOWED", "RATE_LIMITED", "ALLOWED", "RATE_LIMITED"]);
  });
});

describe("limits", () => {
  it("are not charged by a dry run, nor by a denial", async () => {
    const { token } = await stored({ rateLimits: limits });
    for (let turn = 0; turn < 3; turn++) {
      expect(await ask({ token, cost: 10, dryRun: true })).toBe("ALLOWED");
      expect(await ask({ token, cost: 10, requiredScope: "orders:write" })).toBe("INSUFFICIENT_SCOPE");
    }
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
    expect(await ask({ token, cost: 1, dryRun: true })).toBe("RATE_LIMITED");
  });

  it("are not charged, and nothing is allowed, for a call that is over when it is decided", async () => {
    const { token } = await stored({ rateLimits: limits });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const over: Verification = {
      request: question({ token, cost: 10 }),
      peer: "",
      isOver: () => true,
      decided: resolve,
      failed: resolve,
    };
    own.verifier.verify([over]);
    expect(await promise).toMatchObject({ status: "DEADLINE_EXCEEDED" });
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
  });

  it("outlive a change of the key", async () => {
    const { token, key } = await stored({ rateLimits: limits });
    expect(await ask({ token, cost: 10 })).toBe("ALLOWED");
    await own.store.commit(
      { kind: "update-key", key: { ...key, displayName: "new" }, expected: key.revision },
      ENTRY,
    );
    expect(await ask({ token })).toBe("RATE_LIMITED");
  });

  it("refuse a cost that is none", async () => {
    const { token } = await stored();
    for (const cost of [-1, 1.5, 1_000_001, Number.NaN]) {
      await expect(own.verifier.verifyOne(question({ token, cost }))).rejects.toMatchObject({
        reason: "INVALID_COST",
      });
    }
  });
});
