import { fromBinary } from "@bufbuild/protobuf";
import type { VerifyRequest } from "../../app/verify-key.ts";
import { type VerifyKeyRequest, VerifyKeyRequestSchema } from "../../gen/keywarden/v1/verify_service_pb.ts";

/** What a call costs that does not say it. */
const DEFAULT_COST = 1;

/** Length-delimited fields in the order of their numbers. */
const TOKEN = 0x0a;
const REQUIRED_SCOPE = 0x12;
const CLIENT_IP = 0x1a;
const ENVIRONMENT = 0x22;
const API = 0x2a;
/** Varint fields. */
const COST = 0x30;
const DRY_RUN = 0x38;

/**
 * Reads a VerifyKeyRequest from `bytes[start, end)`. What nearly every request looks like (known fields, short
 * ASCII strings) is read here; anything else is left to protobuf-es, which also is what refuses: it throws.
 */
export function decodeVerifyKeyRequest(bytes: Uint8Array, start: number, end: number): VerifyRequest {
  return (
    readPlain(bytes, start, end) ??
    fromMessage(fromBinary(VerifyKeyRequestSchema, bytes.subarray(start, end)))
  );
}

export function fromMessage(message: VerifyKeyRequest): VerifyRequest {
  const { token, requiredScope, clientIp, environment, api, cost, dryRun } = message;
  return { token, requiredScope, clientIp, environment, api, cost: cost ?? DEFAULT_COST, dryRun };
}

function readPlain(bytes: Uint8Array, start: number, end: number): VerifyRequest | undefined {
  let token = "";
  let requiredScope = "";
  let clientIp = "";
  let environment = "";
  let api = "";
  let cost = DEFAULT_COST;
  let dryRun = false;
  let at = start;
  while (at < end) {
    const tag = bytes[at++];
    const value = bytes[at++];
    // A length or number of one byte; a longer varint has its high bit set.
    if (value === undefined || value >= 0x80 || at > end) return undefined;
    if (tag === COST) cost = value;
    else if (tag === DRY_RUN) dryRun = value !== 0;
    else {
      const text = at + value <= end ? asciiText(bytes, at, at + value) : undefined;
      if (text === undefined) return undefined;
      at += value;
      if (tag === TOKEN) token = text;
      else if (tag === REQUIRED_SCOPE) requiredScope = text;
      else if (tag === CLIENT_IP) clientIp = text;
      else if (tag === ENVIRONMENT) environment = text;
      else if (tag === API) api = text;
      else return undefined;
    }
  }
  return { token, requiredScope, clientIp, environment, api, cost, dryRun };
}

function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at] ?? 0x80;
  if (bits >= 0x80) return undefined;
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
