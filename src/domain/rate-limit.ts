/** A limit on what one key may spend. */
export interface RateLimit {
  readonly name: string;
  /** Units within the window, 1 to 1,000,000. */
  readonly quota: number;
  /** Milliseconds in which a spent quota is whole again, 1,000 to 31 days. */
  readonly window: number;
}
