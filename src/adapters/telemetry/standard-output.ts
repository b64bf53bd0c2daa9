import { writeSync } from "node:fs";
import type { DestinationStream } from "pino";

/** Of a pipe that does not wait: so many looks, so many milliseconds apart, until whoever reads it has made room. */
const LOOKS = 100;
const PAUSE_MS = 10;

/**
 * Lines that are on standard output when `write` returns. One that can't be written, as the disk is full or nobody reads
 * any more, is dropped, and `onDropped` is told: a log that is lost is no reason to verify nothing.
 */
export function standardOutput(onDropped: () => void, file = 1): DestinationStream {
  let isTorn = false;
  return {
    write(line) {
      // What is left of a line that was dropped halfway ends here.
      const bytes = Buffer.from(isTorn ? `\n${line}` : line);
      const written = writeAll(file, bytes);
      if (written === bytes.length) isTorn = false;
      else {
        isTorn ||= written > 0;
        onDropped();
      }
    },
  };
}

/** How many of the bytes could be written. */
function writeAll(file: number, bytes: Uint8Array): number {
  let written = 0;
  for (let look = 0; written < bytes.length && look < LOOKS; ) {
    try {
      written += writeSync(file, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) break;
      look++;
      Atomics.wait(still, 0, 0, PAUSE_MS);
    }
  }
  return written;
}

/** Nobody ever wakes who waits here. */
const still = new Int32Array(new SharedArrayBuffer(4));
