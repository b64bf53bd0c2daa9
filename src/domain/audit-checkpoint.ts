import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { ChainHead } from "./audit-chain.ts";
import type { SealKey } from "./seal.ts";

/** Where the audit ended at an instant, signed. */
export interface AuditCheckpoint extends ChainHead {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Ed25519 (RFC 8032), 64 bytes. */
  readonly signature: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What stands before a seed in a private key (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const RAW_KEY_BYTES = 32;

/**
 * Signs checkpoints with a key that is made from the current seal key, and knows those made from former ones: so there is
 * no further secret to keep.
 */
export class CheckpointKeys {
  readonly #current: KeyObject;
  readonly #known: readonly KeyObject[];

  constructor(sealKeys: readonly SealKey[]) {
    const [current, ...former] = sealKeys.map(privateKeyOf);
    if (current === undefined) throw new RangeError("there is no seal key");
    this.#current = current;
    this.#known = [current, ...former].map((key) => createPublicKey(key));
  }

  sign({ revision, hash }: ChainHead, time: number): AuditCheckpoint {
    const signature = sign(null, signedText({ revision, hash, time }), this.#current);
    return { revision, hash, time, signature, publicKey: rawPublicKey(createPublicKey(this.#current)) };
  }

  /** Was it made by this server, or by one with the same seal key? What the checkpoint says its key is does not matter. */
  isAuthentic({ signature, ...checkpoint }: Omit<AuditCheckpoint, "publicKey">): boolean {
    return this.#known.some((key) => verify(null, signedText(checkpoint), key, signature));
  }
}

function signedText({ revision, hash, time }: ChainHead & { readonly time: number }): Buffer {
  return Buffer.from(`keywarden audit checkpoint\n${revision}\n${hash}\n${time}\n`);
}

function privateKeyOf({ key }: SealKey): KeyObject {
  const seed = createHmac("sha256", key).update("keywarden audit checkpoints").digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ format: "der", type: "spki" }).subarray(-RAW_KEY_BYTES);
}
