import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ImportedKeySchema } from "../../gen/keywarden/v1/import_pb.ts";
import type { ReadRow } from "./row-reader.ts";
import type { SourceRow } from "./source-row.ts";

type ImportedKey = MessageInitShape<typeof ImportedKeySchema>;

/** A row that is not imported, and why. */
export interface RefusedRow {
  readonly line: number;
  /** `field: why`, each. */
  readonly problems: readonly string[];
}

/** Rows that are sent together. */
export interface Batch {
  /** All of them, those that are refused here among them. */
  readonly rows: number;
  /** Of the input, up to the last one's end. */
  readonly bytes: number;
  readonly keys: readonly ImportedKey[];
  /** Of each key's row. */
  readonly lines: readonly number[];
  readonly refused: readonly RefusedRow[];
}

/** Rows of a batch: with as many, a call costs a fraction of what they cost, and the server's writer is held for moments. */
const MOST_ROWS = 1_000;
/** The server takes 4 MiB; this is an upper bound of what the keys need. */
const MOST_BYTES = 4_000_000;

/** Puts rows together to batches, from row number `skip` on. */
export async function* batchesOf(
  rows: AsyncIterable<SourceRow>,
  read: (values: readonly unknown[]) => ReadRow,
  skip: number,
): AsyncGenerator<Batch> {
  let left = skip;
  let next = emptyBatch();
  for await (const row of rows) {
    if (left > 0) {
      left--;
      continue;
    }
    const made: ReadRow = "values" in row ? read(row.values) : { problems: [row.problem] };
    const size = "key" in made ? sizeOf(made.key) : 0;
    if (next.rows >= MOST_ROWS || (next.size + size > MOST_BYTES && next.rows > 0)) {
      yield next;
      next = emptyBatch();
    }
    next.rows++;
    next.bytes = row.bytes;
    if ("key" in made) {
      next.size += size;
      next.keys.push(made.key);
      next.lines.push(row.line);
    } else {
      next.refused.push({ line: row.line, problems: made.problems });
    }
  }
  if (next.rows > 0) yield next;
}

interface GrowingBatch {
  rows: number;
  bytes: number;
  size: number;
  readonly keys: ImportedKey[];
  readonly lines: number[];
  readonly refused: RefusedRow[];
}

function emptyBatch(): GrowingBatch {
  return { rows: 0, bytes: 0, size: 0, keys: [], lines: [], refused: [] };
}

/** Of every field that has no text: hash, times, tags and lengths. */
const FIXED_SIZE = 128;
/** A tag and a length, and of a limit its numbers. */
const ITEM_SIZE = 32;

/** Bytes that the key needs in a request, at most. */
function sizeOf({
  owner,
  displayName,
  tokenStart,
  tokenEnd,
  scopes,
  allowedCidrs,
  rateLimits,
  metadata,
}: ImportedKey): number {
  const texts = [
    owner ?? "",
    displayName ?? "",
    tokenStart ?? "",
    tokenEnd ?? "",
    ...(scopes ?? []),
    ...(allowedCidrs ?? []),
    ...(rateLimits ?? []).map(({ name = "" }) => name),
    ...Object.entries(metadata ?? {}).flat(),
  ];
  return texts.reduce((size, text) => size + ITEM_SIZE + Buffer.byteLength(text), FIXED_SIZE);
}
