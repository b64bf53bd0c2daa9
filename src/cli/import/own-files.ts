import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { usage } from "../failure.ts";

/** @throws Failure if the file that was opened at `path` is one of `own`, by whatever name or link. */
export async function refuseOwnFiles(
  opened: Pick<Stats, "dev" | "ino">,
  path: string,
  own: readonly string[],
): Promise<void> {
  for (const name of own) {
    // What is not there is not it: what was opened is there.
    const found = await stat(name).catch(() => undefined);
    if (found?.dev === opened.dev && found.ino === opened.ino) {
      throw usage(`--errors ${path} is the file ${name}, which the import itself needs`, "Name another one.");
    }
  }
}
