import { Argument, type Command } from "commander";
import { SECRET_KINDS } from "../domain/keyring.ts";
import type { Registration } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { safeText } from "./safe-text.ts";
import { secretAction } from "./secret-command.ts";
import { secretFile } from "./secret-source-file.ts";

/** `keywarden secret rotate`. */
export function addSecretRotate(parent: Command, registration: Registration): void {
  const command = parent
    .command("rotate")
    .summary("put a new secret before the others")
    .description(
      "Makes a new secret and puts it first in its file: the current one from the server's next start on. The others " +
        "stay known, and no key has to be issued again.",
    )
    .addArgument(new Argument("<kind>", "which secret").choices(SECRET_KINDS));
  examples(command, [["keywarden secret rotate pepper", "then start the server again"]]);
  secretAction(command, registration, async ({ shell, settings, paint, show }, argument) => {
    const kind = SECRET_KINDS.find((one) => one === argument);
    if (kind === undefined) throw usage(`write one of ${SECRET_KINDS.join(", ")}`);
    const path = secretFile(settings, kind, "rotated");
    const [made, ...others] = await shell.secrets.rotate(kind, path);
    const former = others.map(({ id }) => id);
    const lines = [
      `${paint("green", "✓")} Made ${kind} ${made?.id ?? ""} in ${safeText(path)}`,
      `  Still known: ${former.join(", ")}`,
      "Next:",
      "  1. Back the file up: what is made with the new one from now on needs it.",
      "  2. Start the server again. Until then it goes on with the former one.",
      "  3. Wait until keywarden doctor says that no record uses the former one any more.",
      ...former.map((id) => `  4. keywarden secret forget ${id}`),
    ];
    await show(`${lines.join("\n")}\n`, { kind, id: made?.id, former, source: path });
    return "ok";
  });
}
