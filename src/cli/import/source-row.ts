/** A row of the input, or what is wrong with it. */
export type SourceRow = {
  /** From 1. Of a row of several lines, the last. */
  readonly line: number;
  /** Of the input, up to the row's end. */
  readonly bytes: number;
} & (
  | {
      /** For each column that was asked for: undefined, null and the empty text say nothing. */
      readonly values: readonly unknown[];
    }
  | { readonly problem: string }
);

/** What a reader makes of lines of text. */
export interface RowFormat {
  /** The columns that rows are asked for. */
  readonly columns: readonly string[];
  /**
   * Told of the columns that there are before the first row is given; and, as rows of JSON say themselves what they have,
   * of further ones before those rows are. Throws a Failure if they do not suit, and no row is given then.
   * `ahead`: so many lines were looked at; undefined: a heading says it.
   */
  onColumns(names: readonly string[], ahead?: number): void;
  /** The input's name, for errors. */
  readonly name: string;
}
