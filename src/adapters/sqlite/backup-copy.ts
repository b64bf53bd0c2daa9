import { statSync } from "node:fs";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { OnProgress } from "../../domain/store-care.ts";

/** What the copying thread is started with. */
export interface CopyOptions {
  /** The database's file. */
  readonly from: string;
  /** An empty file. */
  readonly to: string;
}

/** What it says at its end; an error's code and message. */
export type CopyOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The worker's file stands beside this one, as `.ts` in a checkout and as `.js` in a build. */
const workerFile = new URL(`./backup-copy-worker${extname(import.meta.url)}`, import.meta.url);

/** Milliseconds between two looks at how far the copy has come. */
const LOOK_EVERY = 200;

/**
 * Writes the database as it is now into an empty file, compact and in one piece, while others may go on reading and
 * writing it. `total`: bytes that it will have. What is written is not yet sure to be on the disk when this resolves.
 * Rejects with an error that has SQLite's code, such as SQLITE_FULL.
 */
export async function copyDatabase(
  options: CopyOptions,
  total: number,
  onProgress: OnProgress,
): Promise<void> {
  const worker = new Worker(workerFile, { workerData: options, name: "keywarden-backup" });
  const outcome = Promise.withResolvers<CopyOutcome>();
  worker.on("message", (message: CopyOutcome) => outcome.resolve(message));
  worker.on("error", (error) => outcome.reject(error));
  worker.on("exit", () => outcome.reject(new Error("the thread that copies has ended before it was done")));
  const look = setInterval(() => {
    const done = statSync(options.to, { throwIfNoEntry: false })?.size ?? 0;
    onProgress({ step: "copying", done: Math.min(done, total), total, unit: "bytes" });
  }, LOOK_EVERY);
  try {
    const result = await outcome.promise;
    if (!result.ok) throw Object.assign(new Error(result.message), { code: result.code });
  } finally {
    clearInterval(look);
  }
}
