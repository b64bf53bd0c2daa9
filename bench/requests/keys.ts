import { createHash } from "node:crypto";
import type { ApiId, Environment } from "../../src/domain/api.ts";
import type { Key, KeyId } from "../../src/domain/key.ts";
import type { Revision } from "../../src/domain/revision.ts";
import { generateToken, type Token } from "../../src/domain/token.ts";

export const API = "bench" as ApiId;
export const PREFIX = "bench";
export const ENVIRONMENT = "test" as Environment;
/** What every request asks for; one of a key's grants covers it by a wildcard. */
export const REQUIRED_SCOPE = "files:read";
/** Within the one network that keys are allowed from. */
export const CLIENT_IP = "203.0.113.7";

const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;
const CREATE_TIME = Date.UTC(2026, 0, 1);

/** The token of the key of this number: always the same one, so that every process of the benchmark knows it. */
export function benchToken(number: number): Token {
  return generateToken(PREFIX, ENVIRONMENT, (size) => seededBytes(`key ${number}`, size));
}

/** A token of the right shape and checksum that no key has. */
export function unknownToken(number: number): Token {
  return generateToken(PREFIX, ENVIRONMENT, (size) => seededBytes(`guess ${number}`, size));
}

/** A key with something to check in every rule, and a value in every field of the answer. */
export function benchKey(number: number): Key & { readonly expireTime: number } {
  return {
    id: benchKeyId(number),
    api: API,
    environment: ENVIRONMENT,
    owner: `acct_${number % 1000}`,
    displayName: "Benchmark key",
    scopes: ["orders:read", "orders:write", "products:read", "files:*"],
    allowedCidrs: ["203.0.113.0/24"],
    rateLimits: [],
    metadata: { plan: "pro" },
    binding: null,
    state: "ACTIVE",
    expireTime: CREATE_TIME + TEN_YEARS,
    generation: 1,
    hint: benchToken(number).hint,
    previousToken: null,
    createTime: CREATE_TIME,
    updateTime: CREATE_TIME,
    revokeTime: null,
    revision: 0 as Revision,
  };
}

/** A UUIDv7, later for greater numbers. */
export function benchKeyId(number: number): KeyId {
  const hex = (CREATE_TIME + number).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000` as KeyId;
}

/** Enough for any token, and the same for the same seed. */
function seededBytes(seed: string, size: number): Uint8Array {
  return createHash("shake256", { outputLength: size }).update(seed).digest();
}
