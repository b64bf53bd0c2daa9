import { parentPort, workerData } from "node:worker_threads";
import type { CopyOptions, CopyOutcome } from "./backup-copy.ts";
import { openQuietly } from "./inspection.ts";
import { codeOf } from "./refusal.ts";

/** Copies a database: in a thread of its own, as SQLite does it in one go. */
if (parentPort === null) throw new Error("backup-copy-worker runs as a worker thread only");
const { from, to }: CopyOptions = workerData;
parentPort.postMessage(copied(), []);

function copied(): CopyOutcome {
  try {
    const db = openQuietly(from);
    try {
      // One read transaction, which nobody has to wait for. SQLite's backup API would start anew at each change.
      db.prepare("VACUUM INTO ?").run(to);
    } finally {
      db.close();
    }
    return { ok: true };
  } catch (error) {
    return {
      ok: false,
      code: codeOf(error),
      message: error instanceof Error ? error.message : String(error),
    };
  }
}
