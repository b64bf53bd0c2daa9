import { pipeline, Readable } from "node:stream";
import { CsvError, type Parser, parse } from "csv-parse";
import { usage } from "../failure.ts";
import { safeText } from "../safe-text.ts";
import { LONGEST_ROW } from "./input-text.ts";
import type { RowFormat, SourceRow } from "./source-row.ts";

const DELIMITERS = [",", ";", "\t"];
/** What databases write for NULL where a text could be. */
const NOTHING: ReadonlySet<string> = new Set(["\\N", "NULL"]);

/** Where a record ends. */
interface RecordEnd {
  readonly line: number;
  readonly bytes: number;
}

/**
 * The rows of CSV (RFC 4180) with a heading; semicolons may separate fields as well as commas. With tabs nothing is quoted.
 * @throws Failure if it has no heading, or quotes that can't be read.
 */
export async function* csvRows(
  lines: AsyncIterable<Buffer>,
  { columns, onColumns, name }: RowFormat,
): AsyncGenerator<SourceRow> {
  /** Of the records that were read ahead. */
  const ends: RecordEnd[] = [];
  const parser = await openParser(lines, ends);
  let heading: readonly string[] | undefined;
  let places: readonly number[] = [];
  try {
    for await (const record of parser) {
      const fields: readonly string[] = record;
      const { line, bytes } = ends.shift() ?? { line: 0, bytes: 0 };
      if (heading === undefined) {
        heading = fields.map((field) => field.trim());
        refuseTwice(heading, name);
        onColumns(heading);
        places = placesIn(heading, columns);
      } else if (fields.length === heading.length) {
        yield { line, bytes, values: places.map((place) => textIn(fields[place])) };
      } else {
        const problem = `the row has ${fields.length} fields, and the heading ${heading.length}`;
        yield { line, bytes, problem };
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? structureFailure(error, name) : error;
  }
  if (heading === undefined) throw usage(`${name} is empty: its first line has to name the columns`);
}

/** Throws what reading the lines throws when its rows are asked for. */
async function openParser(lines: AsyncIterable<Buffer>, ends: RecordEnd[]): Promise<Parser> {
  const rest = lines[Symbol.asyncIterator]();
  const { value: first } = await rest.next();
  const beginning = first instanceof Buffer ? first : Buffer.alloc(0);
  const all = async function* () {
    yield beginning;
    yield* { [Symbol.asyncIterator]: () => rest };
  };
  const delimiter = delimiterOf(beginning.toString("utf8").split("\n", 1)[0] ?? "");
  const parser = parse({
    delimiter,
    // What databases write with tabs (mysql --batch --raw) never quotes a field: a quote there is a character like others.
    quote: delimiter === "\t" ? null : '"',
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
    on_record(fields, { lines: line, bytes }) {
      ends.push({ line, bytes });
      return fields;
    },
  });
  // Whoever reads the rows gets the error.
  pipeline(Readable.from(all()), parser, () => {});
  return parser;
}

function delimiterOf(heading: string): string {
  const counts = DELIMITERS.map((delimiter) => heading.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

function placesIn(heading: readonly string[], columns: readonly string[]): readonly number[] {
  return columns.map((column) => heading.indexOf(column));
}

function textIn(field: string | undefined): string | undefined {
  return field === undefined || NOTHING.has(field) ? undefined : field;
}

function refuseTwice(heading: readonly string[], name: string): void {
  const twice = heading.find((column, index) => column !== "" && heading.indexOf(column) < index);
  if (twice !== undefined) throw usage(`${name}:1: the column ${safeText(twice)} is there twice`);
}

/** The parser's own message has the field's value in it, which may be a token. */
function structureFailure({ code, ...context }: CsvError, name: string) {
  const { lines } = context as { readonly lines?: unknown };
  const what =
    code === "CSV_MAX_RECORD_SIZE"
      ? `a row is longer than ${LONGEST_ROW} bytes: is a quote not closed?`
      : code === "CSV_QUOTE_NOT_CLOSED"
        ? "a quote is not closed"
        : "a quote stands where none can be: a field with quotes in it is quoted, and they are doubled";
  return usage(`${name}:${typeof lines === "number" ? lines : "?"}: ${what}`);
}
