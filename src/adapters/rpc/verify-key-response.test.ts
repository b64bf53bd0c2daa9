import { create, fromBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Verdict } from "../../app/verification.ts";
import type { ApiId, Environment } from "../../domain/api.ts";
import { compileKey, type Key, type KeyId } from "../../domain/key.ts";
import { MAX_QUOTA, MAX_WINDOW, MIN_WINDOW } from "../../domain/rate-limit.ts";
import { REASONS, type Reason } from "../../domain/reason.ts";
import type { Revision } from "../../domain/revision.ts";
import { Reason as ReasonNumber, VerifyKeyResponseSchema } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { encodeVerifyKeyResponse, maxVerifyKeyResponseSize } from "./verify-key-response.ts";

const label = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const time = fc.nat({ max: 253_402_300_799_999 });

const key = fc.record({
  owner: label,
  displayName: label,
  scopes: fc.array(fc.constantFrom("orders:read", "files:*", "*"), { maxLength: 20 }),
  metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), label, { maxKeys: 5 }),
  expireTime: fc.option(time),
});

const limit = fc.record({
  name: fc.stringMatching(/^[a-z]{1,32}$/),
  quota: fc.integer({ min: 1, max: MAX_QUOTA }),
  window: fc.integer({ min: MIN_WINDOW, max: MAX_WINDOW }),
});

const rateLimit = fc.record({
  limit,
  remaining: fc.nat({ max: MAX_QUOTA }),
  resetAfter: fc.nat({ max: MAX_WINDOW }),
});

const verdict: fc.Arbitrary<Verdict> = fc
  .record({
    reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])),
    key,
    rateLimit: fc.option(rateLimit, { nil: undefined }),
    retryAfter: fc.nat({ max: 100_000 }),
    decideTime: time,
    revision: fc.maxSafeNat(),
    message: fc.string({ unit: "grapheme", maxLength: 200 }),
    wwwAuthenticate: fc.string({ maxLength: 300 }),
  })
  .map(({ reason, key, revision, message, wwwAuthenticate, ...decision }) => ({
    decision: {
      ...decision,
      allowed: reason === "ALLOWED",
      reason,
      record: compileKey({ ...plainKey, ...key }, 1),
      charged: undefined,
    },
    revision: revision as Revision,
    message,
    wwwAuthenticate,
  }));

const plainKey: Key = {
  id: "0193b0a8-0000-7000-8000-000000000001" as KeyId,
  api: "c2p" as ApiId,
  environment: "live" as Environment,
  owner: "acct_42",
  displayName: "CI",
  scopes: [],
  allowedCidrs: [],
  rateLimits: [],
  metadata: {},
  binding: null,
  state: "ACTIVE",
  expireTime: null,
  generation: 1,
  hint: "c2p_live_…abcd",
  previousToken: null,
  createTime: 1,
  updateTime: 1,
  revokeTime: null,
  revision: 1 as Revision,
};

function encoded(verdict: Verdict): { bytes: Uint8Array; room: number } {
  const room = maxVerifyKeyResponseSize(verdict);
  const buffer = Buffer.alloc(room + 11, 0xee);
  const end = encodeVerifyKeyResponse(verdict, buffer, 5);
  return { bytes: buffer.subarray(5, end), room };
}

it("writes what protobuf-es reads as the same response, within the room that it asked for", () => {
  fc.assert(
    fc.property(verdict, (verdict) => {
      const { decision, message, wwwAuthenticate, revision } = verdict;
      const { bytes, room } = encoded(verdict);
      expect(bytes.length).toBeLessThanOrEqual(room);
      const stored = decision.record?.key ?? plainKey;
      const { rateLimit } = decision;
      const expected = create(VerifyKeyResponseSchema, {
        allowed: decision.allowed,
        reason: ReasonNumber[decision.reason],
        message,
        httpStatus: REASONS[decision.reason].httpStatus,
        wwwAuthenticate,
        ...(decision.retryAfter > 0 && { retryAfter: durationFromMs(decision.retryAfter * 1000) }),
        ...(decision.allowed && {
          key: {
            keyId: stored.id,
            api: stored.api,
            environment: stored.environment,
            owner: stored.owner,
            displayName: stored.displayName,
            scopes: [...stored.scopes],
            metadata: { ...stored.metadata },
            ...(stored.expireTime !== null && { expireTime: timestampFromMs(stored.expireTime) }),
          },
        }),
        ...(rateLimit && {
          rateLimit: {
            name: rateLimit.limit.name,
            quota: rateLimit.limit.quota,
            window: durationFromMs(rateLimit.limit.window),
            remaining: rateLimit.remaining,
            resetAfter: durationFromMs(rateLimit.resetAfter),
          },
        }),
        decideTime: timestampFromMs(decision.decideTime),
        revision: BigInt(revision),
      });
      expect(fromBinary(VerifyKeyResponseSchema, bytes)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

it("gives no key to a caller that is denied", () => {
  fc.assert(
    fc.property(verdict, (verdict) => {
      const response = fromBinary(VerifyKeyResponseSchema, encoded(verdict).bytes);
      expect(response.key !== undefined).toBe(response.allowed);
      expect(response.allowed).toBe(response.reason === ReasonNumber.ALLOWED);
    }),
  );
});
