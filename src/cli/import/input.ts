import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { usage } from "../failure.ts";
import type { Shell } from "../shell.ts";
import { unreadable } from "../unreadable.ts";
import { csvRows } from "./csv-rows.ts";
import type { InputFormat } from "./input-format.ts";
import { wholeLines } from "./input-text.ts";
import { jsonRows } from "./json-rows.ts";
import type { RowFormat, SourceRow } from "./source-row.ts";

/** What keys are read from. */
export interface ImportInput {
  /** For errors. */
  readonly name: string;
  /** undefined: standard input. */
  readonly path: string | undefined;
  /** undefined: not known. */
  readonly bytes: number | undefined;
  rows(format: RowFormat): AsyncGenerator<SourceRow>;
}

/** `file` is a path, or - for standard input. @throws Failure if it can't be read. */
export async function openInput(shell: Shell, file: string, format: InputFormat): Promise<ImportInput> {
  const path = file === "-" ? undefined : resolve(file);
  const name = path === undefined ? "standard input" : file;
  const bytes = path === undefined ? undefined : await sizeOf(path);
  const open = () => (path === undefined ? shell.stdin : createReadStream(path));
  return { name, path, bytes, rows: (wanted) => readRows(open(), format, extname(file), wanted) };
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(error, "the file", path);
  });
  if (found.isDirectory()) throw usage(`${path} is a directory`);
  return found.size;
}

async function* readRows(
  stream: NodeJS.ReadableStream,
  format: InputFormat,
  extension: string,
  wanted: RowFormat,
): AsyncGenerator<SourceRow> {
  const lines = wholeLines(stream, wanted.name);
  const { value: first } = await lines.next();
  const beginning = first instanceof Buffer ? first : Buffer.alloc(0);
  const all = async function* () {
    if (beginning.length > 0) yield beginning;
    yield* lines;
  };
  const isJson = format === "auto" ? looksLikeJson(extension, beginning, wanted.name) : format === "jsonl";
  yield* isJson ? jsonRows(all(), wanted) : csvRows(all(), wanted);
}

const JSON_EXTENSIONS: ReadonlySet<string> = new Set([".jsonl", ".ndjson"]);

function looksLikeJson(extension: string, beginning: Buffer, name: string): boolean {
  const [mark] = beginning.toString("utf8", 0, 1024).trimStart();
  if (mark === "[") {
    throw usage(
      `${name} is a JSON array, and is read a line at a time`,
      "Make lines of it first: jq -c '.[]' FILE",
    );
  }
  return JSON_EXTENSIONS.has(extension.toLowerCase()) || mark === "{";
}
