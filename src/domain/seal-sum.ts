import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from "node:crypto";

const BLOCK = 16;
const MODULUS = 1n << 128n;

/**
 * Sums over the seals of sets of records: two sets with the same sum are the same set. Each seal has a secret weight of 128
 * bits (a block of AES under a key that is made from the seal key), and the sum itself is kept encrypted: who sees records
 * and sums come and go learns no weight, and so cannot find another set of records with the same sum. A sum, and not an
 * exclusive or: a seal that is there twice must not be as good as none.
 */
export class SealSum {
  readonly #weight: (seals: Buffer) => Buffer;
  readonly #secret: KeyObject;

  constructor(sealKey: KeyObject) {
    const cipher = createCipheriv("aes-256-ecb", derived(sealKey, "weights"), null).setAutoPadding(false);
    this.#weight = (seals) => cipher.update(seals);
    this.#secret = derived(sealKey, "sum");
  }

  /** The sum over the seals with these tags, which are one block long. */
  of(tags: readonly Buffer[]): bigint {
    const weights = this.#weight(Buffer.concat(tags));
    let sum = 0n;
    for (let at = 0; at < weights.length; at += BLOCK) sum += numberAt(weights, at);
    return sum % MODULUS;
  }

  hidden(sum: bigint): Buffer {
    const cipher = createCipheriv("aes-256-ecb", this.#secret, null).setAutoPadding(false);
    const block = Buffer.alloc(BLOCK);
    block.writeBigUInt64BE(sum >> 64n, 0);
    block.writeBigUInt64BE(sum & 0xffff_ffff_ffff_ffffn, BLOCK / 2);
    return cipher.update(block);
  }

  revealed(hidden: Uint8Array): bigint {
    const decipher = createDecipheriv("aes-256-ecb", this.#secret, null).setAutoPadding(false);
    return numberAt(decipher.update(hidden), 0);
  }
}

/** The sum over what is in it, without what was taken out, and with what was put in. */
export function changedSum(
  sum: bigint,
  { gone, added }: { readonly gone: bigint; readonly added: bigint },
): bigint {
  return (((sum - gone + added) % MODULUS) + MODULUS) % MODULUS;
}

function numberAt(bytes: Buffer, at: number): bigint {
  return (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + BLOCK / 2);
}

/** A key for one purpose that no other purpose can use (HMAC as a KDF, as the seal key is uniformly random). */
function derived(key: KeyObject, purpose: string): KeyObject {
  return createSecretKey(createHmac("sha256", key).update(`keywarden records ${purpose}`).digest());
}
