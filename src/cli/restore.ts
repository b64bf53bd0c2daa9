import type { Command } from "commander";
import type { Restoration, UndoneChange } from "../domain/store-care.ts";
import type { Registration } from "./client-command.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { examples } from "./examples.ts";
import type { Paint } from "./paint.ts";
import { progressLine } from "./progress-line.ts";
import { safeText } from "./safe-text.ts";
import { secretAction } from "./secret-command.ts";
import { counted } from "./size-text.ts";
import { copyFacts, orUnsound } from "./store-copy-text.ts";
import { facts } from "./table.ts";

interface RestoreOptions {
  readonly force?: true;
  readonly yes?: true;
}

/** `keywarden restore`. */
export function addRestore(program: Command, registration: Registration): void {
  const command = program
    .command("restore")
    .summary("put a backup in the place of a store, on its machine; stop the server first")
    .description(
      "Puts a backup in the place of a store, once all of it is verified. This is a rollback: what was revoked since the " +
        "backup is valid again, which the command lists, with what to type. A store that is there is kept under another name.",
    )
    .argument("<file>", "the backup")
    .option("--force", "replace the store that is there; asks first, unless --yes is given")
    .option("-y, --yes", "do not ask");
  examples(command, [
    ["keywarden restore /var/backups/keywarden-2027-01-31.db", "where there is no store"],
    ["keywarden restore /var/backups/keywarden-2027-01-31.db --force", "in place of the one that is there"],
  ]);
  secretAction(command, registration, async ({ shell, settings, paint, show }, file) => {
    const { force = false, yes = false } = command.opts<RestoreOptions>();
    if (force && !yes) {
      requireTerminal(shell);
      await confirm(shell, `Roll ${safeText(settings.store.file)} back to ${safeText(file)}?`);
    }
    const progress = progressLine(shell);
    const work = shell.storeCare.restore(settings, file, {
      replace: force,
      now: shell.now(),
      onProgress: progress.show,
    });
    const restoration = await orUnsound(work, "Take another backup.").finally(() => progress.end());
    await show(restorationText(restoration, paint), restoration);
    return "ok";
  });
}

function restorationText(restoration: Restoration, paint: Paint): string {
  const { file, replaced } = restoration;
  const lines = [
    `${paint("green", "✓")} Restored ${safeText(file)}`,
    facts(copyFacts(restoration), paint),
    ...(replaced === null
      ? []
      : [`The replaced store is now ${safeText(replaced)}. Delete it once nobody needs it.`]),
    ...lossLines(restoration, paint),
    "Admin tokens are not in a backup: one that was made since does not count any more. If none is left:",
    "  keywarden admin reset",
  ];
  return `${lines.join("\n")}\n`;
}

function lossLines({ lost, unreadable, revision, replaced }: Restoration, paint: Paint): readonly string[] {
  if (replaced === null) return [];
  const alarm = (text: string) => paint("yellow", text);
  if (lost === null) {
    return [alarm(`Nobody can say what was lost since: ${safeText(unreadable)}`), ...WHAT_COUNTS_AGAIN];
  }
  if (!lost.sameHistory) {
    return [
      alarm(
        `The replaced store (at revision ${lost.revision}) does not continue this backup: nobody can say what differs.`,
      ),
      ...WHAT_COUNTS_AGAIN,
    ];
  }
  if (lost.changes === 0) return ["Nothing was lost: nothing had changed since the backup."];
  return [
    alarm(
      `Lost: ${counted(lost.changes, "change")}, revisions ${revision + 1} to ${lost.revision}. Tokens made since are unknown now.`,
    ),
    ...undoneLines(lost.undone),
  ];
}

const WHAT_COUNTS_AGAIN = [
  "Keys that were revoked, disabled or rotated since the backup count again: do it anew once the server runs.",
];

/** What to do about each kind of change that was undone. */
const REPEATED: readonly (readonly [UndoneChange["what"], string, (keyId: string) => string])[] = [
  [
    "revoked",
    "Revoked since, and valid again. Once the server runs:",
    (id) => `keywarden key revoke ${id} --yes`,
  ],
  ["disabled", "Disabled since, and enabled again:", (id) => `keywarden key disable ${id}`],
  [
    "rotated",
    "Rotated since: the token before counts again, and the new one is unknown. Make another, and hand it over:",
    (id) => `keywarden key rotate ${id} --grace 0s`,
  ],
  [
    "grace ended",
    "Their grace was ended since, and the token before counts again until it is over:",
    (id) => `keywarden key end-grace ${id}`,
  ],
  ["changed", "Changed since, and as before again. Look at each:", (id) => `keywarden key get ${id}`],
];

function undoneLines(undone: readonly UndoneChange[]): readonly string[] {
  return REPEATED.flatMap(([what, title, commandFor]) => {
    const commands = undone
      .filter((change) => change.what === what)
      .map(({ keyId }) => `  ${commandFor(safeText(keyId))}`);
    return commands.length === 0 ? [] : [title, ...commands];
  });
}
