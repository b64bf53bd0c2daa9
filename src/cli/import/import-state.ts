import { createHash } from "node:crypto";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { usage } from "../failure.ts";

/** What became of rows. */
export interface RowCounts {
  readonly imported: number;
  readonly alreadyThere: number;
  readonly refused: number;
}

/** How far an import has come, beside its input. */
const stateSchema = z.object({
  version: z.literal(1),
  /** Of the input, and of how it is read. */
  fingerprint: z.string(),
  /** So many rows at the beginning are done. */
  rows: z.int().min(0),
  counts: z.object({ imported: z.int().min(0), alreadyThere: z.int().min(0), refused: z.int().min(0) }),
});

export type ImportState = Readonly<z.infer<typeof stateSchema>>;

/** Bytes at each end of the input by which it is known again. */
const SAMPLE = 64 * 1024;

export function statePath(input: string): string {
  return `${input}.keywarden-import`;
}

/** All that an import of this input reads and writes. */
export function filesOf(input: string): readonly string[] {
  const path = statePath(input);
  return [input, path, newStatePath(path)];
}

/** What becomes the state once it is whole. */
function newStatePath(path: string): string {
  return `${path}.new`;
}

/** Of the input (its size, beginning and end) and of `reading`, which says how its rows are understood. */
export async function fingerprintOf(input: string, reading: unknown): Promise<string> {
  const file = await open(input);
  try {
    const { size } = await file.stat();
    const hash = createHash("sha256").update(JSON.stringify([size, reading], bigintAsText));
    for (const position of [0, Math.max(0, size - SAMPLE)]) {
      const sample = Buffer.alloc(SAMPLE);
      const { bytesRead } = await file.read(sample, 0, SAMPLE, position);
      hash.update(sample.subarray(0, bytesRead));
    }
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

/** Seconds of durations and times are bigints. */
function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** @throws Failure if there is none, or it is of another input or other options. */
export async function readState(input: string, fingerprint: string): Promise<ImportState> {
  const path = statePath(input);
  const again = "Run it without --resume: what is there already is left as it is.";
  const text = await readFile(path, "utf8").catch(() => {
    throw usage(`there is nothing to resume: ${path} can't be read`, again);
  });
  const parsed = stateSchema.safeParse(parsedJson(text));
  if (!parsed.success) throw usage(`${path} is not what an import has left`, again);
  if (parsed.data.fingerprint === fingerprint) return parsed.data;
  throw usage(`${path} is of another input, or of an import with other options`, again);
}

/** Whole or not at all. */
export async function writeState(input: string, state: ImportState): Promise<void> {
  const path = statePath(input);
  const next = newStatePath(path);
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(next, path);
}

export async function removeState(input: string): Promise<void> {
  await rm(statePath(input), { force: true });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
