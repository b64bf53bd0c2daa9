import type { Pepper } from "./digest.ts";
import type { SealKey } from "./seal.ts";

export const SECRET_KINDS = ["pepper", "seal-key"] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** The server's secrets, the current one of each kind first; the former ones are still known. */
export interface Keyring {
  readonly peppers: readonly [Pepper, ...Pepper[]];
  readonly sealKeys: readonly [SealKey, ...SealKey[]];
}

interface SecretFile {
  readonly kind: "file";
  readonly path: string;
  /** It belongs to the store, as nobody has named another: a new store makes it. */
  readonly madeWithStore: boolean;
}

/** Where secrets of one kind come from. */
export type SecretSource =
  | SecretFile
  /** An environment variable. */
  | { readonly kind: "env"; readonly name: string }
  /** What a program prints; it is run without a shell. */
  | { readonly kind: "command"; readonly program: string; readonly args: readonly string[] };

export interface SecretSources {
  readonly pepper: SecretSource;
  readonly sealKey: SecretSource;
}

/** A secret by its name: its id gives nothing of it away. */
export interface KnownSecret {
  readonly kind: SecretKind;
  readonly id: string;
  /** What is made from now on is made with it; the others are for what was made before. */
  readonly isCurrent: boolean;
}

/** How much of a store was made with a secret. */
export interface SecretUse {
  readonly kind: SecretKind;
  readonly id: string;
  /** Tokens, or sealed records. */
  readonly records: number;
}

/** The source as people write it; a command without its arguments, as they are nobody's business. */
export function sourceText(source: SecretSource): string {
  switch (source.kind) {
    case "file":
      return source.path;
    case "env":
      return `env:${source.name}`;
    case "command":
      return `command:${source.program}${source.args.length === 0 ? "" : " …"}`;
  }
}
