import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Verdict } from "../../app/verification.ts";
import type { KeyRecord } from "../../domain/key.ts";
import type { RateLimit, RateLimitStatus } from "../../domain/rate-limit.ts";
import { REASONS, type Reason } from "../../domain/reason.ts";
import { RateLimitStatusSchema } from "../../gen/keywarden/v1/rate_limit_pb.ts";
import {
  Reason as ReasonNumber,
  VerifiedKeySchema,
  VerifyKeyResponseSchema,
} from "../../gen/keywarden/v1/verify_service_pb.ts";
import {
  MOMENT_SIZE,
  maxTextSize,
  VARINT_SIZE,
  varintSize,
  writeBytes,
  writeLatin1,
  writeMilliseconds,
  writeText,
  writeVarint,
} from "./wire.ts";

/** Tags of VerifyKeyResponse. */
const MESSAGE = 0x1a;
const WWW_AUTHENTICATE = 0x2a;
const RETRY_AFTER = 0x32;
const RATE_LIMIT = 0x42;
const DECIDE_TIME = 0x4a;
const REVISION = 0x50;
/** Tags of RateLimitStatus. */
const REMAINING = 0x20;
const RESET_AFTER = 0x2a;

/** What is the same in every response for a reason: allowed, reason, http_status. */
const HEADS = new Map<Reason, Uint8Array>();
for (const [reason, { httpStatus }] of Object.entries(REASONS) as [Reason, (typeof REASONS)[Reason]][]) {
  const head = { allowed: reason === "ALLOWED", reason: ReasonNumber[reason], httpStatus };
  HEADS.set(reason, toBinary(VerifyKeyResponseSchema, create(VerifyKeyResponseSchema, head)));
}
const NO_BYTES = new Uint8Array();

/**
 * The same for every response about one record, and about one limit; they live as long as those. A key's bytes are kept
 * as latin1 text: there is one for every cached key, and a string takes a third of what a buffer takes.
 */
const keyTexts = new WeakMap<KeyRecord, string>();
const limitBytes = new WeakMap<RateLimit, Uint8Array>();

/** An upper bound of what `encodeVerifyKeyResponse` writes, in bytes. */
export function maxVerifyKeyResponseSize({ decision, message, wwwAuthenticate }: Verdict): number {
  const { reason, rateLimit } = decision;
  const limit =
    rateLimit === undefined ? 0 : 3 + limitOf(rateLimit.limit).length + 1 + VARINT_SIZE + MOMENT_SIZE;
  return (
    headOf(reason).length +
    maxTextSize(message) +
    maxTextSize(wwwAuthenticate) +
    keyOf(decision).length +
    limit +
    2 * MOMENT_SIZE +
    (1 + VARINT_SIZE)
  );
}

/** Writes a VerifyKeyResponse at `offset` and returns where it ends. */
export function encodeVerifyKeyResponse(verdict: Verdict, bytes: Uint8Array, offset: number): number {
  const { decision, message, wwwAuthenticate, revision } = verdict;
  let at = writeBytes(bytes, offset, headOf(decision.reason));
  at = writeText(bytes, at, MESSAGE, message);
  if (wwwAuthenticate !== "") at = writeText(bytes, at, WWW_AUTHENTICATE, wwwAuthenticate);
  if (decision.retryAfter > 0) at = writeMilliseconds(bytes, at, RETRY_AFTER, decision.retryAfter * 1000);
  at = writeLatin1(bytes, at, keyOf(decision));
  if (decision.rateLimit !== undefined) at = writeRateLimit(bytes, at, decision.rateLimit);
  at = writeMilliseconds(bytes, at, DECIDE_TIME, decision.decideTime);
  if (revision > 0) {
    bytes[at++] = REVISION;
    at = writeVarint(bytes, at, revision);
  }
  return at;
}

function writeRateLimit(bytes: Uint8Array, offset: number, status: RateLimitStatus): number {
  const { limit, remaining, resetAfter } = status;
  const constant = limitOf(limit);
  // The length is written before what it counts: room for two bytes, which holds any such message.
  let at = writeBytes(bytes, offset + 3, constant);
  if (remaining > 0) {
    bytes[at++] = REMAINING;
    at = writeVarint(bytes, at, remaining);
  }
  at = writeMilliseconds(bytes, at, RESET_AFTER, resetAfter);
  const length = at - offset - 3;
  bytes[offset] = RATE_LIMIT;
  if (varintSize(length) === 2) {
    writeVarint(bytes, offset + 1, length);
    return at;
  }
  bytes[offset + 1] = length;
  bytes.copyWithin(offset + 2, offset + 3, at);
  return at - 1;
}

function headOf(reason: Reason): Uint8Array {
  return HEADS.get(reason) ?? NO_BYTES;
}

/** The whole field `key`, tag included; nothing for a denial. */
function keyOf({ allowed, record }: Verdict["decision"]): string {
  if (!allowed || record === undefined) return "";
  const known = keyTexts.get(record);
  if (known !== undefined) return known;
  const { id, api, environment, owner, displayName, scopes, metadata, expireTime } = record.key;
  const key = create(VerifiedKeySchema, {
    keyId: id,
    api,
    environment,
    owner,
    displayName,
    scopes: [...scopes],
    metadata: { ...metadata },
    ...(expireTime === null ? {} : { expireTime: timestampFromMs(expireTime) }),
  });
  const encoded = toBinary(VerifyKeyResponseSchema, create(VerifyKeyResponseSchema, { key }));
  const latin1 = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).toString("latin1");
  keyTexts.set(record, latin1);
  return latin1;
}

/** The constant fields of a RateLimitStatus. */
function limitOf(limit: RateLimit): Uint8Array {
  const known = limitBytes.get(limit);
  if (known !== undefined) return known;
  const { name, quota, window } = limit;
  const status = create(RateLimitStatusSchema, { name, quota, window: durationFromMs(window) });
  const encoded = toBinary(RateLimitStatusSchema, status);
  limitBytes.set(limit, encoded);
  return encoded;
}
