import type { Command } from "commander";
import type { Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { progressLine } from "./progress-line.ts";
import { safeText } from "./safe-text.ts";
import { secretAction } from "./secret-command.ts";
import { copyFacts, orUnsound } from "./store-copy-text.ts";
import { facts } from "./table.ts";

interface BackupOptions {
  readonly force?: true;
}

/** `keywarden backup`. */
export function addBackup(program: Command, registration: Registration): void {
  const command = program
    .command("backup")
    .summary("back a store up, on its machine; the server may be running")
    .description(
      "Backs a store up into one file while the server goes on serving, and verifies all of it before the file gets its " +
        "name. The secrets (pepper, seal key) are not in it: without them it is worth nothing, so keep them elsewhere.",
    )
    .argument("<file>", "the backup")
    .option("--force", "replace the file if it is there");
  examples(command, [
    [`keywarden backup /var/backups/keywarden-$(date +%F).db`, "of the store in ./data, once a day"],
    ["keywarden restore /var/backups/keywarden-2027-01-31.db", "the way back"],
  ]);
  secretAction(command, registration, async ({ shell, settings, paint, show }, file) => {
    const { force = false } = command.opts<BackupOptions>();
    const progress = progressLine(shell);
    const work = shell.storeCare.backUp(settings, file, { overwrite: force, onProgress: progress.show });
    const next = "The store has it as well: keywarden doctor says what to do.";
    const copy = await orUnsound(work, next).finally(() => progress.end());
    const text = [
      `${paint("green", "✓")} Backed up ${safeText(settings.store.file)} to ${safeText(copy.file)}`,
      facts(copyFacts(copy), paint),
      "The secrets are not in it. Keep them elsewhere, and apart from it: who has both can write records that count.",
    ];
    await show(`${text.join("\n")}\n`, copy);
    return "ok";
  });
}
