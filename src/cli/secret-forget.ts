import type { Command } from "commander";
import type { KnownSecret } from "../domain/keyring.ts";
import type { Registration } from "./client-command.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { safeText } from "./safe-text.ts";
import { type SecretSession, secretAction } from "./secret-command.ts";
import { secretFile } from "./secret-source-file.ts";

interface ForgetOptions {
  readonly yes?: true;
}

/** `keywarden secret forget`. */
export function addSecretForget(parent: Command, registration: Registration): void {
  const command = parent
    .command("forget")
    .summary("remove a former secret that nothing uses any more")
    .description(
      "Removes a former secret from its file, for ever. Refused for the current one, and as long as anything in the " +
        "store was made with it. Asks first, unless --yes is given.",
    )
    .argument("<id>", "the secret's id, as keywarden secret list shows it")
    .option("-y, --yes", "do not ask");
  examples(command, [["keywarden secret forget 5f0c2b9e --yes", "from a script"]]);
  secretAction(command, registration, async (session, id) => {
    const { yes } = command.opts<ForgetOptions>();
    const { shell, settings, paint, show } = session;
    if (!yes) requireTerminal(shell);
    const { kind } = await forgettable(session, id);
    const path = secretFile(settings, kind, "forgotten");
    if (!yes) {
      await confirm(
        shell,
        `Forget ${kind} ${id} for ever? Backups of the store and checkpoints of its audit that need it are worth nothing without.`,
      );
    }
    const remaining = (await shell.secrets.forget(kind, path, id)).map((secret) => secret.id);
    const text =
      `${paint("green", "✓")} Removed ${kind} ${id} from ${safeText(path)}\n  Still known: ${remaining.join(", ")}\n` +
      "A server that runs forgets it when it is started again.\n";
    await show(text, { kind, id, remaining, source: path });
    return "ok";
  });
}

/** The secret, if it may be forgotten. */
async function forgettable({ shell, settings }: SecretSession, id: string): Promise<KnownSecret> {
  const secrets = await shell.secrets.list(settings);
  const secret = secrets.find((one) => one.id === id);
  if (secret === undefined) {
    throw usage("no secret has this id", "keywarden secret list shows those that are known.");
  }
  if (secret.isCurrent) {
    throw usage(
      `${id} is the current ${secret.kind}`,
      `Put another in its place first: keywarden secret rotate ${secret.kind}`,
    );
  }
  const uses = await shell.usedSecrets(settings);
  const records = uses.find((use) => use.kind === secret.kind && use.id === id)?.records ?? 0;
  if (records === 0) return secret;
  throw usage(
    `${records} records in ${settings.store.file} still use ${secret.kind} ${id}`,
    "They move to the current one by and by while a server runs that was started with it: keywarden doctor shows how many are left.",
  );
}
