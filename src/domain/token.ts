/** A shape of tokens that were issued elsewhere. */
export interface ImportedTokenShape {
  /** Printable ASCII; may be empty. */
  readonly prefix: string;
  /** Characters, prefix included. */
  readonly minLength: number;
  readonly maxLength: number;
}
