import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BatchImportKeysRequestSchema,
  type BatchImportKeysResponse,
  ImportOutcome_Kind,
} from "../../gen/keywarden/v1/import_pb.ts";
import type { AdminClient } from "../call.ts";
import type { Session } from "../client-command.ts";
import { type Batch, batchesOf, type RefusedRow } from "./batches.ts";
import { DryRunMemory } from "./dry-run-memory.ts";
import type { ImportState, RowCounts } from "./import-state.ts";
import type { ImportInput } from "./input.ts";
import { startProgress } from "./progress.ts";
import type { RefusalReport } from "./report.ts";
import type { ReadRow } from "./row-reader.ts";
import { sendBatches } from "./send-batches.ts";
import type { RowFormat } from "./source-row.ts";

/** Calls open at once: enough that the server never waits for the next one. */
const OPEN_CALLS = 4;
/** Milliseconds between two writings of the state, at least. */
const STATE_PAUSE = 500;

export interface ImportRun {
  readonly input: ImportInput;
  readonly format: RowFormat;
  readonly read: (values: readonly unknown[]) => ReadRow;
  readonly request: Omit<MessageInitShape<typeof BatchImportKeysRequestSchema>, "keys" | "$typeName">;
  readonly report: RefusalReport;
  /** Where it begins. */
  readonly from: ImportState;
  /** Keeps what is done, so that the import can be resumed. Never rejects. */
  readonly keep: (state: ImportState) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Where an import has ended. */
export interface ImportEnd {
  readonly state: ImportState;
  /** What stopped it; undefined: nothing, or the signal. */
  readonly error: unknown;
}

/** Imports the rows of an input, and keeps what is done. Never rejects for what the server or the input does. */
export async function runImport({ shell }: Session, client: AdminClient, run: ImportRun): Promise<ImportEnd> {
  const { input, format, read, request, report, from, signal } = run;
  const progress = startProgress(shell.stderr, input.bytes, shell.now);
  const memory = request.dryRun ? new DryRunMemory() : undefined;
  let state = from;
  let written = shell.now();
  const keep = async () => {
    written = shell.now();
    await run.keep(state);
  };
  try {
    await sendBatches(batchesOf(input.rows(format), read, from.rows), {
      send: async ({ keys }: Batch) =>
        keys.length === 0 ? undefined : client.batchImportKeys({ ...request, keys: [...keys] }),
      async onDone(batch, answer) {
        const { counts, refused } = tallied(batch, answer, memory);
        await report.add(refused);
        state = { ...state, rows: state.rows + batch.rows, counts: sum(state.counts, counts) };
        progress.update(state.rows - from.rows, batch.bytes);
        if (shell.now() - written >= STATE_PAUSE) await keep();
      },
      most: OPEN_CALLS,
      signal,
    });
    return { state, error: undefined };
  } catch (error) {
    return { state, error };
  } finally {
    progress.stop();
    await keep();
  }
}

interface Tally {
  readonly counts: RowCounts;
  readonly refused: readonly RefusedRow[];
}

/** What became of the batch's rows, or in a dry run, which has a memory, what would. */
function tallied(
  { refused, lines, keys }: Batch,
  answer: BatchImportKeysResponse | undefined,
  memory: DryRunMemory | undefined,
): Tally {
  const all: RefusedRow[] = [...refused];
  let imported = 0;
  let alreadyThere = 0;
  for (const [index, { kind, violations }] of (answer?.outcomes ?? []).entries()) {
    if (kind === ImportOutcome_Kind.IMPORTED) {
      const key = keys[index];
      if (key !== undefined && memory?.hasSeen(key)) alreadyThere++;
      else imported++;
    } else if (kind === ImportOutcome_Kind.ALREADY_THERE) alreadyThere++;
    else {
      const problems = violations.map(
        ({ field, description }) => `${field.replace(/^keys\[\d+\]\.?/, "")}: ${description}`,
      );
      all.push({ line: lines[index] ?? 0, problems });
    }
  }
  const inOrder = all.toSorted((one, other) => one.line - other.line);
  return { counts: { imported, alreadyThere, refused: all.length }, refused: inOrder };
}

function sum(one: RowCounts, other: RowCounts): RowCounts {
  return {
    imported: one.imported + other.imported,
    alreadyThere: one.alreadyThere + other.alreadyThere,
    refused: one.refused + other.refused,
  };
}
