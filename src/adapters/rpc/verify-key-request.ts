import type { VerifyRequest } from "../../app/verification.ts";
import {
  BatchVerifyKeysRequestSchema,
  type VerifyKeyRequest,
  VerifyKeyRequestSchema,
} from "../../gen/keywarden/v1/verify_service_pb.ts";
import { decodeMessage } from "../grpc/protobuf-codec.ts";

/** What a call costs that does not say it. */
export const DEFAULT_COST = 1;

/** Strings: the fields 1 to 5. */
const FIRST_TEXT = 0x0a;
const LAST_TEXT = 0x2a;
const LENGTH_DELIMITED = 2;
/** What a varint of two bytes or more begins with, at least. */
const TWO_BYTES = 0x80;
/** Varint fields. */
const COST = 0x30;
const DRY_RUN = 0x38;
/** Of a batch. */
const REQUESTS = 0x0a;

/**
 * Reads a VerifyKeyRequest from `bytes[start, end)`. What nearly every request looks like (known fields, short
 * ASCII strings) is read here; anything else is left to `decodeMessage`, which also is what refuses: it throws.
 */
export function decodeVerifyKeyRequest(bytes: Uint8Array, start: number, end: number): VerifyRequest {
  return (
    readPlain(bytes, start, end) ?? fromMessage(decodeMessage(VerifyKeyRequestSchema, bytes, start, end))
  );
}

/** The same for a BatchVerifyKeysRequest. */
export function decodeVerifyKeyRequests(
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly VerifyRequest[] {
  return (
    readPlainBatch(bytes, start, end) ??
    decodeMessage(BatchVerifyKeysRequestSchema, bytes, start, end).requests.map(fromMessage)
  );
}

export function fromMessage(message: VerifyKeyRequest): VerifyRequest {
  const { token, requiredScope, clientIp, environment, api, cost, dryRun } = message;
  return { token, requiredScope, clientIp, environment, api, cost: cost ?? DEFAULT_COST, dryRun };
}

function readPlainBatch(bytes: Uint8Array, start: number, end: number): readonly VerifyRequest[] | undefined {
  const requests: VerifyRequest[] = [];
  for (let at = start; at < end; ) {
    if (bytes[at++] !== REQUESTS) return undefined;
    let length = bytes[at++] ?? TWO_BYTES;
    if (length >= TWO_BYTES) {
      const upper = bytes[at++] ?? TWO_BYTES;
      if (upper >= TWO_BYTES) return undefined;
      length += TWO_BYTES * (upper - 1);
    }
    if (at + length > end) return undefined;
    const request = readPlain(bytes, at, at + length);
    if (request === undefined) return undefined;
    requests.push(request);
    at += length;
  }
  return requests;
}

function readPlain(bytes: Uint8Array, start: number, end: number): VerifyRequest | undefined {
  // By field number.
  const texts = ["", "", "", "", "", ""];
  const numbers = [0, 0, 0, 0, 0, 0, DEFAULT_COST, 0];
  for (let at = start; at < end; ) {
    const tag = bytes[at++] ?? 0;
    const value = bytes[at++] ?? TWO_BYTES;
    if (value >= TWO_BYTES || at > end) return undefined;
    if (tag === COST || tag === DRY_RUN) {
      numbers[tag >> 3] = value;
      continue;
    }
    const text = isTextTag(tag) ? asciiText(bytes, at, Math.min(at + value, end)) : undefined;
    if (text?.length !== value) return undefined;
    texts[tag >> 3] = text;
    at += value;
  }
  const [, token = "", requiredScope = "", clientIp = "", environment = "", api = ""] = texts;
  const [cost = DEFAULT_COST, dryRun = 0] = numbers.slice(6);
  return { token, requiredScope, clientIp, environment, api, cost, dryRun: dryRun !== 0 };
}

function isTextTag(tag: number): boolean {
  return tag >= FIRST_TEXT && tag <= LAST_TEXT && (tag & 7) === LENGTH_DELIMITED;
}

function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at] ?? TWO_BYTES;
  if (bits >= TWO_BYTES) return undefined;
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
