/**
 * What was counted for one token, or for no known key, since somebody last took it. It hangs on the record that is
 * decided on, so that counting looks nothing up; only a usage meter touches it. `Owner` names the token's key.
 */
export interface Tally<Owner> {
  /** null: no known key. */
  readonly owner: Owner | null;
  /** Which of the key's tokens. */
  readonly generation: number;
  /** Somebody will come to take it. */
  isListed: boolean;
  /** That it counts for, since the epoch. */
  hour: number;
  allowed: number;
  /** By the index of their reason; undefined: none. */
  denied: number[] | undefined;
  /** When it was last allowed, in milliseconds since the epoch; 0: not since it was taken. */
  useTime: number;
  /** From where, as the caller gave it. */
  clientIp: string;
}

export function createTally<Owner>(owner: Owner | null, generation: number): Tally<Owner> {
  return {
    owner,
    generation,
    isListed: false,
    hour: 0,
    allowed: 0,
    denied: undefined,
    useTime: 0,
    clientIp: "",
  };
}
