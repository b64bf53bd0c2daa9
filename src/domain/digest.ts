import { createHash, createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { Brand } from "./brand.ts";

/** SHA-256 of a token, 32 bytes as latin1 text: what caches are keyed by. */
export type TokenHash = Brand<string, "TokenHash">;

/** HMAC-SHA-256(pepper, SHA-256(token)), 32 bytes as latin1 text: what is stored of a token. */
export type Digest = Brand<string, "Digest">;

/** Names a pepper without giving it away. */
export type PepperId = Brand<string, "PepperId">;

/** A server secret without which a stored digest can't be tied to a token. */
export interface Pepper {
  readonly id: PepperId;
  readonly key: KeyObject;
}

const PEPPER_BYTES = 32;

/** SHA-256 of the token's text as UTF-8. */
export function hashToken(text: string): TokenHash {
  return hash("sha256", text, "binary") as TokenHash;
}

/** `secret` is exactly 32 random bytes, else RangeError. Its id is made from it: the same secret, the same id. */
export function createPepper(secret: Uint8Array): Pepper {
  if (secret.length !== PEPPER_BYTES) {
    throw new RangeError(`a pepper is ${PEPPER_BYTES} bytes long, this one has ${secret.length}`);
  }
  // In two steps, as a buffer with both would be a copy of the secret that nobody zeroes.
  const name = createHash("sha256").update("keywarden-pepper:").update(secret).digest("hex");
  return { id: name.slice(0, 8) as PepperId, key: createSecretKey(secret) };
}

/** The token's digest under this pepper. */
export function digestToken(tokenHash: TokenHash, pepper: Pepper): Digest {
  return createHmac("sha256", pepper.key).update(tokenHash, "latin1").digest("binary") as Digest;
}
