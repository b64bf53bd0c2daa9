import type { Brand } from "./brand.ts";

/** SHA-256 of a token, 32 bytes as latin1 text: what caches are keyed by. */
export type TokenHash = Brand<string, "TokenHash">;

/** HMAC-SHA-256(pepper, SHA-256(token)), 32 bytes as latin1 text: what is stored of a token. */
export type Digest = Brand<string, "Digest">;

/** Names a pepper without giving it away. */
export type PepperId = Brand<string, "PepperId">;
