import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { withoutTokens } from "../../domain/without-tokens.ts";
import { safeText } from "../safe-text.ts";
import { unreadable } from "../unreadable.ts";
import type { RefusedRow } from "./batches.ts";

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

/** Writes all into a file; `isGoingOn`: behind what is there. @throws Failure if it can't be written. */
export async function reportToFile(path: string, isGoingOn: boolean): Promise<RefusalReport> {
  const file: WriteStream = createWriteStream(path, { flags: isGoingOn ? "a" : "w", mode: 0o600 });
  await once(file, "open").catch((error: unknown) => {
    throw unreadable(error, "the file for --errors", path);
  });
  return {
    async add(rows) {
      const text = rows.map((row) => `${lineOf(row)}\n`).join("");
      if (text !== "" && !file.write(text)) await once(file, "drain");
    },
    async close() {
      file.end();
      await once(file, "finish");
      return [`${path} says which and why`];
    },
  };
}
