import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Brand } from "./brand.ts";

/** Names a seal key without giving it away. */
export type SealKeyId = Brand<string, "SealKeyId">;

/** A server secret without which nobody can write a record that counts. */
export interface SealKey {
  readonly id: SealKeyId;
  readonly key: KeyObject;
}

/** What seals: the kind of record, so that one kind can't pass for another, and its values in a fixed order. */
export type SealedValues = readonly (string | number | null)[];

const SEAL_KEY_BYTES = 32;
/** Of the HMAC, 128 bits are kept. */
const TAG_BYTES = 16;
const ID_BYTES = 4;

/** `secret` is exactly 32 random bytes, else RangeError. Its id is made from it: the same secret, the same id. */
export function createSealKey(secret: Uint8Array): SealKey {
  if (secret.length !== SEAL_KEY_BYTES) {
    throw new RangeError(`a seal key is ${SEAL_KEY_BYTES} bytes long, this one has ${secret.length}`);
  }
  const name = createHash("sha256").update("keywarden-seal-key:").update(secret).digest("hex");
  return { id: name.slice(0, 2 * ID_BYTES) as SealKeyId, key: createSecretKey(secret) };
}

/** The first of the keys seals; each of them is accepted. */
export class Sealer {
  readonly #current: SealKey;
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor(keys: readonly SealKey[]) {
    const [current] = keys;
    if (current === undefined) throw new RangeError("there is no seal key");
    this.#current = current;
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  /** 20 bytes: the key's id, then HMAC-SHA-256(key, kind and values as JSON) cut to 128 bits. */
  seal(kind: string, values: SealedValues): Buffer {
    return Buffer.concat([Buffer.from(this.#current.id, "hex"), tagOf(this.#current.key, kind, values)]);
  }

  /** Was this seal made for exactly this, with a key that is known? */
  isSealed(kind: string, values: SealedValues, seal: unknown): boolean {
    if (!(seal instanceof Uint8Array) || seal.length !== ID_BYTES + TAG_BYTES) return false;
    const bytes = Buffer.from(seal.buffer, seal.byteOffset, seal.length);
    const key = this.#keys.get(bytes.toString("hex", 0, ID_BYTES));
    return key !== undefined && timingSafeEqual(bytes.subarray(ID_BYTES), tagOf(key, kind, values));
  }

  /** Was it made with another key than the current one? */
  isFormer(seal: Uint8Array): boolean {
    return Buffer.from(seal.subarray(0, ID_BYTES)).toString("hex") !== this.#current.id;
  }
}

function tagOf(key: KeyObject, kind: string, values: SealedValues): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([kind, ...values]))
    .digest()
    .subarray(0, TAG_BYTES);
}
