import { randomBytes } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { as } from "../../test/support/administrators.ts";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { question } from "../../test/support/question.ts";
import { testKey } from "../../test/support/records.ts";
import type { ApiId } from "../domain/api.ts";
import type { Key } from "../domain/key.ts";
import { generateToken } from "../domain/token.ts";
import { disableKey } from "./disable-key.ts";
import { explainKey } from "./explain-key.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";
import type { VerifyRequest } from "./verification.ts";

let authority: Authority;
beforeEach(async () => {
  authority = await createAuthority();
});

function explained(request: Partial<VerifyRequest>, keyId = "") {
  return explainKey(authority.parts, authority.explainer, question(request), keyId);
}

/** The checks as one line each. */
async function lines(request: Partial<VerifyRequest>, keyId = ""): Promise<readonly string[]> {
  const { checks } = await explained(request, keyId);
  return checks.map(({ reason, outcome, detail }) => `${outcome} ${reason}: ${detail}`);
}

it("shows every check of a key with what it looked at, also those behind the first that fails", async () => {
  const { key } = await authority.key({
    scopes: ["orders:read"],
    allowedCidrs: ["203.0.113.0/24"],
    rateLimits: [{ name: "minute", quota: 10, window: 60_000 }],
    expiration: { at: 2_000_000 },
  });
  await disableKey(authority.parts, { keyId: key.id, etag: "" });
  const request = { environment: "", requiredScope: "orders:write", clientIp: "198.51.100.7", cost: 3 };
  expect(await lines(request, key.id)).toEqual([
    "PASSED MISSING_TOKEN: there is a token",
    "PASSED MALFORMED_TOKEN: it has the shape and checksum of a token of Keywarden's",
    "PASSED WRONG_API: the token is of orders, and orders is served",
    "PASSED WRONG_ENVIRONMENT: the token is of test, and test is served",
    `PASSED UNKNOWN_TOKEN: key ${key.id}`,
    "PASSED REVOKED: state DISABLED",
    "FAILED DISABLED: state DISABLED",
    "PASSED EXPIRED: the key ends at 1970-01-01T00:33:20.000Z, and this token is the current one",
    "FAILED IP_NOT_ALLOWED: the client is at 198.51.100.7, and may be at 203.0.113.0/24",
    "FAILED INSUFFICIENT_SCOPE: orders:write is required, and orders:read is granted",
    "PASSED RATE_LIMITED: the cost is 3, and of the limit minute 7 of 10 would be left; it is reset in 18 s",
  ]);
  expect((await explained(request, key.id)).decision).toMatchObject({ allowed: false, reason: "DISABLED" });
});

it("skips what is about a key where there is none", async () => {
  expect(await lines({ token: "" })).toEqual([
    "FAILED MISSING_TOKEN: there is no token",
    expect.stringMatching(/^PASSED MALFORMED_TOKEN/),
    expect.stringMatching(/^PASSED WRONG_API/),
    expect.stringMatching(/^PASSED WRONG_ENVIRONMENT/),
    "FAILED UNKNOWN_TOKEN: no key has this token",
    ...["REVOKED", "DISABLED", "EXPIRED", "IP_NOT_ALLOWED", "INSUFFICIENT_SCOPE", "RATE_LIMITED"].map(
      (reason) => `SKIPPED ${reason}: there is no key`,
    ),
  ]);
});

it("comes to what a verification decides, whatever is asked, and its first failure is the reason", async () => {
  const { key, token } = await authority.key({ scopes: ["orders:read"], allowedCidrs: ["10.0.0.0/8"] });
  const old = token;
  const rotated = await rotateKey(authority.parts, { keyId: key.id, etag: "" }, 0, "");
  if (rotated.replayed) throw new Error("a new token is no replay");
  const revoked = await authority.key();
  await revokeKey(authority.parts, { keyId: revoked.key.id, etag: "" });
  const requests: readonly Partial<VerifyRequest>[] = [
    { token: rotated.token.reveal(), clientIp: "10.0.0.1", requiredScope: "orders:read" },
    { token: rotated.token.reveal(), clientIp: "10.0.0.1", requiredScope: "orders:write" },
    { token: rotated.token.reveal(), clientIp: "11.0.0.1" },
    { token: rotated.token.reveal(), environment: "live" },
    { token: old, clientIp: "10.0.0.1" },
    { token: revoked.token },
    { token: "no token" },
    { token: "" },
    { token: rotated.token.reveal(), api: "keywarden", environment: "live" },
  ];
  const reasons = new Set<string>();
  for (const request of requests) {
    const { decision, checks } = await explained(request);
    expect(decision.reason).toBe(await authority.verify(request.token ?? "", request));
    expect(checks.find(({ outcome }) => outcome === "FAILED")?.reason ?? "ALLOWED").toBe(decision.reason);
    reasons.add(decision.reason);
  }
  expect(reasons.size).toBe(requests.length);
});

it("charges nothing, and shows what verifications have charged", async () => {
  const { key, token } = await authority.key({ rateLimits: [{ name: "hour", quota: 2, window: 3_600_000 }] });
  for (let count = 0; count < 5; count++) await explained({ token });
  expect(await authority.verify(token)).toBe("ALLOWED");
  expect((await lines({}, key.id)).at(-1)).toContain("of the limit hour 0 of 2 would be left");
  expect(await authority.verify(token)).toBe("ALLOWED");
  expect((await lines({}, key.id)).at(-1)).toMatch(/^FAILED .*0 of 2 are left/);
});

it("never says the token", async () => {
  const { token } = await authority.key();
  expect(JSON.stringify(await lines({ token }))).not.toContain(token.slice(9, -6));
});

it("asks the store about no more unknown tokens than a caller may present, whatever client they would come from", async () => {
  let asked = 0;
  authority = await createAuthority(
    (store) =>
      overrideStore(store, {
        findTokens: (digests) => {
          asked += digests.length;
          return store.findTokens(digests);
        },
      }),
    { perMinute: 2 },
  );
  const { key, token } = await authority.key();
  const own = testKey({ id: authority.parts.newKeyId(), api: "keywarden" as ApiId });
  const guess = (credential: Key, clientIp: string) => {
    const unknown = generateToken("ord", "test", randomBytes).reveal();
    return explainKey(
      as(authority, credential),
      authority.explainer,
      question({ token: unknown, clientIp }),
      "",
    );
  };
  expect((await guess(own, "203.0.113.1")).decision.reason).toBe("UNKNOWN_TOKEN");
  expect((await guess(own, "203.0.113.2")).decision.reason).toBe("UNKNOWN_TOKEN");
  await expect(guess(own, "203.0.113.3")).rejects.toMatchObject({
    status: "RESOURCE_EXHAUSTED",
    reason: "RATE_LIMITED",
  });
  expect(asked).toBe(2);
  // A key is explained by its id, and a token by those who have not guessed.
  expect(
    (await explainKey(as(authority, own), authority.explainer, question({}), key.id)).decision.allowed,
  ).toBe(true);
  const another = testKey({ id: authority.parts.newKeyId(), api: "keywarden" as ApiId });
  const explained = await explainKey(as(authority, another), authority.explainer, question({ token }), "");
  expect(explained.decision.reason).toBe("ALLOWED");
  authority.clock.now += 30_000;
  expect((await guess(own, "203.0.113.4")).decision.reason).toBe("UNKNOWN_TOKEN");
});
