import { Command } from "commander";
import { addApiApply } from "./api-apply.ts";
import { addApiDelete } from "./api-delete.ts";
import { addApiGet, addApiList } from "./api-read.ts";
import { EXIT_CODES, type ExitName } from "./exit-code.ts";
import { addKeyCreate } from "./key-create.ts";
import { addKeyGet, addKeyList } from "./key-read.ts";
import { addKeyRotate } from "./key-rotate.ts";
import { addKeyDisable, addKeyEnable, addKeyRevoke } from "./key-state.ts";
import { addKeyUpdate } from "./key-update.ts";
import type { Paint } from "./paint.ts";
import { withoutTokens } from "./safe-text.ts";
import { addServeCommand } from "./serve-command.ts";
import type { Shell } from "./shell.ts";
import { addVerifyCommand } from "./verify-command.ts";

/**
 * The whole command line. `finish` takes a command's exit code; what is wrong with the line itself is thrown as
 * commander's error, already told on standard error.
 */
export function createProgram(
  version: string,
  shell: Shell,
  paintError: Paint,
  finish: (code: number) => void,
): Command {
  const registration = { shell, finish: (exit: ExitName) => finish(EXIT_CODES[exit].code) };
  const program = new Command("keywarden")
    .description("Issues, verifies, rotates and revokes API keys.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      getOutHelpWidth: () => shell.stdout.columns ?? 100,
      getErrHelpWidth: () => shell.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) =>
        write(withoutTokens(text).replace(/^error:/, paintError(["bold", "red"], "error:"))),
    })
    .showHelpAfterError("(--help shows how)");
  addServeCommand(program, shell, finish);
  const api = program
    .command("api")
    .summary("manage APIs")
    .description("Manages the APIs whose keys are issued.");
  for (const add of [addApiApply, addApiList, addApiGet, addApiDelete]) add(api, registration);
  const key = program.command("key").summary("manage keys").description("Manages keys.");
  for (const add of [
    addKeyCreate,
    addKeyList,
    addKeyGet,
    addKeyUpdate,
    addKeyRotate,
    addKeyRevoke,
    addKeyDisable,
    addKeyEnable,
  ]) {
    add(key, registration);
  }
  addVerifyCommand(program, registration);
  const codes = Object.values(EXIT_CODES)
    .map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`)
    .join("\n");
  program.addHelpText(
    "after",
    `\nExit codes:\n${codes}\n\nkeywarden <command> --help shows a command's options and examples.`,
  );
  return program;
}
