import type { Section } from "../report/section.ts";
import type { Fleet } from "../servers/fleet.ts";

/** What experiments are given to work with. */
export interface Bench {
  readonly fleet: Fleet;
  readonly rounds: number;
  /** Of one load within a round. */
  readonly seconds: number;
  readonly largeStore: number;
  /** Keys in the large store that are only verified: from number 0, and more than a cache holds. */
  readonly verifiedKeys: number;
  /** The numbers of keys of the large store that nobody has revoked so far, each given out once. */
  takeKeysToRevoke(count: number): { readonly first: number; readonly of: number };
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Experiment {
  /** For `--only`. */
  readonly name: string;
  /** What is found out, for `--help`. */
  readonly question: string;
  run(bench: Bench): Promise<Section>;
}
