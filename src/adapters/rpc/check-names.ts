import { normalisedName } from "../proxy/header.ts";
import { latin1 } from "./check-wire.ts";

const ZERO = 0x30;
const NINE = 0x39;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const LOWER = 0x20;
const HYPHEN = 0x2d;

/** Names of headers, each found in all spellings that `normalisedName` takes for it. */
export class WantedNames {
  /** Normalised, by their length, which no spelling changes. */
  readonly #byLength: (readonly string[] | undefined)[] = [];

  constructor(names: readonly string[]) {
    for (const name of new Set(names.map(normalisedName))) {
      this.#byLength[name.length] = [...(this.#byLength[name.length] ?? []), name];
    }
  }

  /** The name that is `bytes[start, stop)`, in lower case, if it is wanted. It makes nothing of one that is not. */
  nameIn(bytes: Uint8Array, start: number, stop: number): string | undefined {
    const candidates = this.#byLength[stop - start];
    if (candidates === undefined) return undefined;
    for (const name of candidates) {
      if (!isSpelling(bytes, start, name)) continue;
      // Nearly all headers are spelled as they are wanted.
      const spelled = latin1(bytes, start, stop).toLowerCase();
      return spelled === name ? name : spelled;
    }
    return undefined;
  }
}

function isSpelling(bytes: Uint8Array, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (normalised(bytes[start + index] ?? 0) !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** As `normalisedName` does with one character. */
function normalised(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte;
  const lower = byte | LOWER;
  return lower >= LOWER_A && lower <= LOWER_Z ? lower : HYPHEN;
}
