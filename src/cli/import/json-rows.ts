import type { RowFormat, SourceRow } from "./source-row.ts";

/**
 * The rows of JSON lines: an object a line. A column is a field's name, or a path such as `consumer.id`.
 */
export async function* jsonRows(
  lines: AsyncIterable<Buffer>,
  { columns }: Pick<RowFormat, "columns">,
): AsyncGenerator<SourceRow> {
  const paths = columns.map((column) => column.split("."));
  let line = 0;
  let bytes = 0;
  for await (const part of lines) {
    const ends = part.at(-1) === 0x0a;
    const texts = part.toString("utf8").split("\n");
    if (ends) texts.pop();
    const share = part.length / texts.length;
    for (const text of texts) {
      line++;
      bytes += share;
      if (text.trim() !== "") yield { line, bytes, ...rowOf(text, paths) };
    }
  }
}

function rowOf(
  text: string,
  paths: readonly (readonly string[])[],
): { readonly values: readonly unknown[] } | { readonly problem: string } {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    // What JSON.parse says has the text in it, which may be a token.
    return { problem: "the line is no JSON" };
  }
  if (!isObject(object)) return { problem: "the line is no JSON object" };
  return { values: paths.map((path) => valueAt(object, path)) };
}

function valueAt(object: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  const whole = path.join(".");
  if (Object.hasOwn(object, whole)) return object[whole];
  let value: unknown = object;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
