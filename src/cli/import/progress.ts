import { SingleBar } from "cli-progress";
import type { Output } from "../shell.ts";

/** Shows how far an import is. */
export interface Progress {
  /** So many rows were done in this run, and so many bytes of the input read for them. */
  update(rows: number, bytes: number): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** A bar on a terminal, with the rate and the time left; nothing in a pipe. Without `bytes`, the input's length is not known. */
export function startProgress(output: Output, bytes: number | undefined, now: () => number): Progress {
  if (output.isTTY !== true) return SILENT;
  const format =
    bytes === undefined
      ? "{rows} rows, {rate} a second"
      : "{bar} {percentage} % | {rows} rows, {rate} a second | {eta_formatted} left";
  const bar = new SingleBar({
    stream: output,
    format,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 64,
    // Ctrl-C is the command's own.
    gracefulExit: false,
  });
  const began = now();
  bar.start(bytes ?? 0, 0, { rows: "0", rate: "0" });
  return {
    update(rows, read) {
      const seconds = Math.max(0.001, (now() - began) / 1000);
      const rate = Math.round(rows / seconds);
      bar.update(bytes === undefined ? 0 : Math.min(read, bytes), {
        rows: rows.toLocaleString("en"),
        rate: rate.toLocaleString("en"),
      });
    },
    stop: () => bar.stop(),
  };
}
