import { isObject, JsonColumns, type JsonObject } from "./json-columns.ts";
import type { RowFormat, SourceRow } from "./source-row.ts";

/** Lines by which the columns are known before any row of them is given; fewer if they are long. */
const MOST_AHEAD = 1_000;
/** Bytes. */
const MOST_BYTES_AHEAD = 4 * 1024 * 1024;

/**
 * The rows of JSON lines: an object a line. A column is a field's name, or a path such as `consumer.id`.
 */
export async function* jsonRows(
  lines: AsyncIterable<Buffer>,
  { columns, onColumns }: Pick<RowFormat, "columns" | "onColumns">,
): AsyncGenerator<SourceRow> {
  const known = new JsonColumns(columns);
  let ahead: Line[] = [];
  let begin = 0;
  const rows = () => {
    const news = known.news();
    if (news.length > 0) onColumns(news, ahead.length);
    const read = ahead;
    ahead = [];
    return read.map((line) => rowOf(line, known));
  };
  for await (const line of linesIn(lines)) {
    if ("object" in line) known.note(line.object);
    if (ahead.length === 0) begin = line.bytes;
    ahead.push(line);
    if (ahead.length >= MOST_AHEAD || line.bytes - begin > MOST_BYTES_AHEAD) yield* rows();
  }
  yield* rows();
}

/** A line that is not empty. */
type Line = { readonly line: number; readonly bytes: number } & (
  | { readonly object: JsonObject }
  | { readonly problem: string }
);

async function* linesIn(parts: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let line = 0;
  let bytes = 0;
  for await (const part of parts) {
    const ends = part.at(-1) === 0x0a;
    const texts = part.toString("utf8").split("\n");
    if (ends) texts.pop();
    const share = part.length / texts.length;
    for (const text of texts) {
      line++;
      bytes += share;
      if (text.trim() !== "") yield { line, bytes, ...parsedLine(text) };
    }
  }
}

function parsedLine(text: string): { readonly object: JsonObject } | { readonly problem: string } {
  try {
    const object: unknown = JSON.parse(text);
    return isObject(object) ? { object } : { problem: "the line is no JSON object" };
  } catch {
    // What JSON.parse says has the text in it, which may be a token.
    return { problem: "the line is no JSON" };
  }
}

function rowOf(line: Line, known: JsonColumns): SourceRow {
  if ("problem" in line) return line;
  return { line: line.line, bytes: line.bytes, values: known.valuesOf(line.object) };
}
