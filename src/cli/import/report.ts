import { open } from "node:fs/promises";
import { withoutTokens } from "../../domain/without-tokens.ts";
import { Failure } from "../failure.ts";
import { safeText } from "../safe-text.ts";
import { unreadable } from "../unreadable.ts";
import type { RefusedRow } from "./batches.ts";
import { refuseOwnFiles } from "./own-files.ts";

/** Where refused rows are told. */
export interface RefusalReport {
  add(rows: readonly RefusedRow[]): Promise<void>;
  /** What a person is told at the end: a line each. */
  close(): Promise<readonly string[]>;
}

/** Lines on a screen that somebody can still read. */
const MOST_SHOWN = 20;

/** A line for each refused row; never a token, whatever column was taken for which. */
function lineOf({ line, problems }: RefusedRow): string {
  return `line ${line}: ${withoutTokens(safeText(problems.join("; ")))}`;
}

/** Keeps the first ones for the end. */
export function reportToPerson(): RefusalReport {
  const shown: string[] = [];
  let others = 0;
  return {
    async add(rows) {
      const room = rows.slice(0, MOST_SHOWN - shown.length);
      shown.push(...room.map(lineOf));
      others += rows.length - room.length;
    },
    close: async () =>
      others === 0
        ? shown
        : [...shown, `… and ${others.toLocaleString("en")} more: --errors FILE has them all`],
  };
}

/**
 * Writes all into a file; `isGoingOn`: behind what is there. Rejects with a Failure if it can't be written, or is one of
 * `own`, the files of the import itself.
 */
export async function reportToFile(
  path: string,
  isGoingOn: boolean,
  own: readonly string[],
): Promise<RefusalReport> {
  // Nothing of it is lost before it is known which file it is.
  const file = await open(path, "a", 0o600).catch((error: unknown) => {
    throw unreadable(error, "the file for --errors", path);
  });
  const written = async (writing: Promise<unknown>) => {
    await writing.catch((error: unknown) => {
      throw unwritable(error, path);
    });
  };
  const begin = async () => {
    const found = await file.stat();
    await refuseOwnFiles(found, path, own);
    if (found.isFile() && !isGoingOn) await written(file.truncate());
  };
  await begin().catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  return {
    async add(rows) {
      const text = rows.map((row) => `${lineOf(row)}\n`).join("");
      if (text !== "") await written(file.appendFile(text));
    },
    async close() {
      await written(file.close());
      return [`${path} says which and why`];
    },
  };
}

function unwritable(error: unknown, path: string): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = code === "ENOSPC" ? "there is no room" : code;
  return new Failure("failed", `the file for --errors ${path} cannot be written: ${why}`, [], error);
}
