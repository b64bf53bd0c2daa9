import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { copyDatabase } from "../../src/adapters/sqlite/backup-copy.ts";
import { KeywardenError } from "../../src/domain/keywarden-error.ts";
import { backUp } from "../../src/machine/back-up.ts";
import { copyRefusal } from "../../src/machine/copy-refusal.ts";
import { restore } from "../../src/machine/restore.ts";
import { readMachineSettings } from "../../src/settings.ts";

/*
 * Backs a store up to a disk of its own that is too small, and restores one there: run by `unshare --map-root-user --mount`, so that the disk is
 * gone with the process. Prints what became of it.
 */
const [data = "", backup = "", disk = ""] = process.argv.slice(2);
const program = "mount";
execFileSync(program, ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", disk]);

const from = join(data, "keywarden.db");
const settings = readMachineSettings({ store: `sqlite:${from}` }, {});
const onProgress = () => {};
const refused = await reasonOf(backUp(settings, join(disk, "backup.db"), { overwrite: false, onProgress }));
const store = { store: `sqlite:${join(disk, "new", "keywarden.db")}` };
const secrets = { pepper: join(data, "pepper"), sealKey: join(data, "seal-key") };
const restoring = restore(readMachineSettings({ ...store, ...secrets }, {}), backup, {
  replace: false,
  now: Date.now(),
  onProgress,
});
const restoreRefused = await reasonOf(restoring);
const left = readdirSync(disk);
// What is not seen beforehand, as somebody else writes there too.
const to = join(disk, "copy");
closeSync(openSync(to, "wx"));
const whenItFills = await reasonOf(copyDatabase({ from, to }, 1, onProgress));
console.log(JSON.stringify({ refused, restoreRefused, left, whenItFills }));

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    const refusal = copyRefusal(error, { from, to: disk });
    if (refusal instanceof KeywardenError) return refusal.reason;
    throw error;
  }
}
