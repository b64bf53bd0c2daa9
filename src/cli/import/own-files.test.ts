import { linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { refuseOwnFiles } from "./own-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keywarden-own-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const place = (name: string) => join(folder, name);
const refusal = (path: string, own: readonly string[]) => refuseOwnFiles(statSync(path), path, own);

it("a report is none of the import's own files, by whatever name, and may be any other", async () => {
  for (const name of ["keys.csv", "refused.txt"]) writeFileSync(place(name), "");
  linkSync(place("keys.csv"), place("linked.csv"));
  await expect(refusal(place("keys.csv"), [place("linked.csv")])).rejects.toMatchObject({ exit: "usage" });
  await refusal(place("refused.txt"), [place("keys.csv"), place("gone.csv")]);
});

it.skipIf(process.platform === "win32")(
  "a report may go to where there is nothing to overwrite",
  async () => {
    await expect(refusal("/dev/null", ["/dev/null"])).resolves.toBeUndefined();
  },
);
