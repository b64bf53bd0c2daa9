import type { Command } from "commander";
import { readServeSettings, SERVE_SETTINGS } from "../settings.ts";
import { examples } from "./examples.ts";
import { addSettings } from "./setting-options.ts";
import type { Shell } from "./shell.ts";

/** `keywarden serve`. */
export function addServeCommand(program: Command, shell: Shell, finish: (code: number) => void): void {
  const command = program
    .command("serve")
    .summary("run a server")
    .description(
      "Runs a server until it is told to stop (Ctrl-C, SIGTERM).\n" +
        "Every option is also a variable: --admin-grpc is KEYWARDEN_ADMIN_GRPC. An option wins over its variable.",
    );
  const flags = addSettings(command, "Settings:", SERVE_SETTINGS);
  examples(command, [
    ["keywarden serve --environment test", "keep the data in ./data and serve test keys"],
    ["keywarden serve --store sqlite:/var/lib/keywarden/keywarden.db", "keep it elsewhere"],
    ["KEYWARDEN_ADMIN_GRPC=off keywarden serve", "verify only"],
  ]);
  command.action(async () => finish(await shell.serve(readServeSettings(flags(), shell.variables))));
}
