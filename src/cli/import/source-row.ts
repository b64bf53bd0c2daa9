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
  /** The columns that rows are asked for; the reader of a file with a heading throws a Failure if it does not suit. */
  readonly columns: readonly string[];
  /** Told of the columns that there are, once, if the format says. */
  onHeading(names: readonly string[]): void;
  /** The input's name, for errors. */
  readonly name: string;
}
