import type { Command } from "commander";
import { KeywardenError } from "../domain/keywarden-error.ts";
import { MACHINE_SETTINGS, type MachineSettings, readMachineSettings } from "../settings.ts";
import type { Registration } from "./client-command.ts";
import type { ExitName } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { createPaint, type Paint } from "./paint.ts";
import { safeJson } from "./safe-text.ts";
import { addSettings } from "./setting-options.ts";
import { type Shell, write } from "./shell.ts";

/** What a command works with that calls no server. */
export interface SecretSession {
  readonly shell: Shell;
  readonly settings: MachineSettings;
  /** Colours for standard output. */
  readonly paint: Paint;
  /** To standard output: text for people, or with --json the value. */
  show(text: string, value: unknown): Promise<void>;
}

/**
 * Makes a command one that works on the machine: gives it the options that say where the store and its secrets are, and
 * runs `action` with them read. `argument` is the command's only argument, empty if it takes none.
 */
export function secretAction(
  command: Command,
  { shell, finish }: Registration,
  action: (session: SecretSession, argument: string) => Promise<ExitName>,
): void {
  const flags = addSettings(command, "Store and output:", MACHINE_SETTINGS);
  command.action(async () => {
    const settings = readMachineSettings(flags(), shell.variables);
    const session: SecretSession = {
      shell,
      settings,
      paint: createPaint(shell.stdout, settings.noColor),
      show: (text, value) =>
        write(shell.stdout, settings.json ? `${safeJson(JSON.stringify(value, undefined, 2))}\n` : text),
    };
    try {
      finish(await action(session, command.args[0] ?? ""));
    } catch (error) {
      // A file or a setting on this machine: nothing was changed.
      throw error instanceof KeywardenError ? new Failure("usage", error.message, [], error) : error;
    }
  });
}
