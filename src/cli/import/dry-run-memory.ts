import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ImportedKeySchema } from "../../gen/keywarden/v1/import_pb.ts";

/** Tokens that a dry run remembers, about 100 bytes each. */
export const MOST_REMEMBERED = 1_000_000;
/** Bytes of a hash by which it is known again: 128 bits are never the same by chance. */
const KNOWN_BY = 16;

/** The tokens that a dry run would have imported: the server, which stores none, knows those of one call only. */
export class DryRunMemory {
  readonly #hashes = new Set<string>();
  readonly #most: number;

  constructor(most: number = MOST_REMEMBERED) {
    this.#most = most;
  }

  /** Was the key's token seen before? From now on it was, if there is room. */
  hasSeen({ token }: MessageInitShape<typeof ImportedKeySchema>): boolean {
    if (token?.case !== "tokenSha256" || token.value === undefined) return false;
    const name = Buffer.from(token.value).toString("latin1", 0, KNOWN_BY);
    if (this.#hashes.has(name)) return true;
    if (this.#hashes.size < this.#most) this.#hashes.add(name);
    return false;
  }
}
