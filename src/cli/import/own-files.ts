import { fstatSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { usage } from "../failure.ts";

/** Among an import's own files, what standard input was redirected from. */
export const STANDARD_INPUT = "/dev/stdin";

/** @throws Failure if the file that was opened at `path` is one of `own`, by whatever name or link. */
export async function refuseOwnFiles(
  opened: Pick<Stats, "dev" | "ino" | "isCharacterDevice">,
  path: string,
  own: readonly string[],
): Promise<void> {
  // A terminal, which standard input may be as well, and /dev/null keep nothing that could be lost.
  if (opened.isCharacterDevice()) return;
  for (const name of own) {
    const found = await statOf(name);
    if (found?.dev === opened.dev && found.ino === opened.ino) {
      throw usage(`--errors ${path} is the file ${name}, which the import itself needs`, "Name another one.");
    }
  }
}

/** Undefined: it is not there, and so is not what was opened. */
async function statOf(name: string): Promise<Stats | undefined> {
  try {
    // By its number: not every system tells by the name which file it is.
    return name === STANDARD_INPUT ? fstatSync(0) : await stat(name);
  } catch {
    return undefined;
  }
}
