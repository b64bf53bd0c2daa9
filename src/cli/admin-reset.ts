import type { Command } from "commander";
import type { AdminReset } from "../domain/store-care.ts";
import type { Registration } from "./client-command.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { examples } from "./examples.ts";
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";
import { secretAction } from "./secret-command.ts";
import { orUnsound } from "./store-copy-text.ts";

interface ResetOptions {
  readonly yes?: true;
}

/** `keywarden admin reset`. */
export function addAdminReset(parent: Command, registration: Registration): void {
  const command = parent
    .command("reset")
    .summary("make another administrator, as the admin token is lost; stop the server first")
    .description(
      "Makes another administrator on the server's machine and writes its token into the file admin-token beside the " +
        "database, in place of the one that is there. The audit keeps who did it. The lost token stays valid until it is " +
        "revoked: the command says how. Asks first, unless --yes is given.",
    )
    .option("-y, --yes", "do not ask");
  examples(command, [
    ["keywarden admin reset --store sqlite:/var/lib/keywarden/keywarden.db", "of this store"],
  ]);
  secretAction(command, registration, async ({ shell, settings, paint, show }) => {
    if (!command.opts<ResetOptions>().yes) {
      requireTerminal(shell);
      await confirm(shell, `Make another administrator of ${safeText(settings.store.file)}?`);
    }
    const work = shell.storeCare.resetAdministrator(settings, shell.now);
    const reset = await orUnsound(work, "keywarden doctor says what to do.");
    await show(resetText(reset, paint), reset);
    return "ok";
  });
}

function resetText({ keyId, tokenFile, others }: AdminReset, paint: Paint): string {
  const lines = [
    `${paint("green", "✓")} Made administrator ${keyId}`,
    `  Its token is in ${safeText(tokenFile)}`,
    ...(others.length === 0
      ? ["There is no other administrator."]
      : [
          "Other administrators, of whom one may be lost. Start the server, then revoke what nobody should use:",
        ]),
    ...others.map(
      ({ keyId: id, displayName, hint, createTime }) =>
        `  keywarden key revoke ${id} --yes   # ${safeText(`${displayName} ${hint}`)}, made ${new Date(createTime).toISOString()}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}
