import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Brand } from "./brand.ts";
import { SealSum } from "./seal-sum.ts";

/** Names a seal key without giving it away. */
export type SealKeyId = Brand<string, "SealKeyId">;

/** A server secret without which nobody can write a record that counts. */
export interface SealKey {
  readonly id: SealKeyId;
  readonly key: KeyObject;
}

/** What seals: the kind of record, so that one kind can't pass for another, and its values in a fixed order. */
export type SealedValues = readonly (string | number | null)[];

/** The parts of a stored seal. */
interface Seal {
  readonly keyId: string;
  readonly tag: Buffer;
}

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

/** A key, with what sums over its seals. */
interface KnownKey extends SealKey {
  readonly sum: SealSum;
}

/** The first of the keys seals; each of them is accepted. */
export class Sealer {
  readonly #current: KnownKey;
  readonly #keys: ReadonlyMap<string, KnownKey>;

  constructor(keys: readonly SealKey[]) {
    const known = keys.map((key) => ({ ...key, sum: new SealSum(key.key) }));
    const [current] = known;
    if (current === undefined) throw new RangeError("there is no seal key");
    this.#current = current;
    this.#keys = new Map(known.map((key) => [key.id, key]));
  }

  /** 20 bytes: the key's id, then HMAC-SHA-256(key, kind and values as JSON) cut to 128 bits. */
  seal(kind: string, values: SealedValues): Buffer {
    return Buffer.concat([Buffer.from(this.#current.id, "hex"), tagOf(this.#current.key, kind, values)]);
  }

  /** Was this seal made for exactly this, with a key that is known? */
  isSealed(kind: string, values: SealedValues, seal: unknown): boolean {
    const { keyId, tag } = sealOf(seal) ?? {};
    const known = this.#keys.get(keyId ?? "");
    return known !== undefined && tag !== undefined && timingSafeEqual(tag, tagOf(known.key, kind, values));
  }

  /** Was it made with another key than the current one? */
  isFormer(seal: Uint8Array): boolean {
    return sealOf(seal)?.keyId !== this.#current.id;
  }

  /** The sum over these seals (`SealSum`). What is no seal, or was made with a key that is not known, weighs nothing. */
  sumOf(seals: readonly unknown[]): bigint {
    const tags = new Map<KnownKey, Buffer[]>();
    for (const { keyId, tag } of seals.map(sealOf).filter((seal) => seal !== undefined)) {
      const known = this.#keys.get(keyId);
      if (known === undefined) continue;
      const others = tags.get(known);
      if (others === undefined) tags.set(known, [tag]);
      else others.push(tag);
    }
    return [...tags].reduce((sum, [{ sum: weights }, own]) => sum + weights.of(own), 0n);
  }

  /** A sum as it may be stored in a record that this sealer seals now. */
  hiddenSum(sum: bigint): Buffer {
    return this.#current.sum.hidden(sum);
  }

  /** The sum that was hidden in a record, if it was sealed with a key that is known. */
  revealedSum(hidden: Uint8Array, seal: Uint8Array): bigint | undefined {
    return this.#keys.get(sealOf(seal)?.keyId ?? "")?.sum.revealed(hidden);
  }
}

function sealOf(stored: unknown): Seal | undefined {
  if (!(stored instanceof Uint8Array) || stored.length !== ID_BYTES + TAG_BYTES) return undefined;
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  return { keyId: bytes.toString("hex", 0, ID_BYTES), tag: bytes.subarray(ID_BYTES) };
}

function tagOf(key: KeyObject, kind: string, values: SealedValues): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([kind, ...values]))
    .digest()
    .subarray(0, TAG_BYTES);
}
