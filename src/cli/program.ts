import { Command } from "commander";
import { withoutTokens } from "../domain/without-tokens.ts";
import { addAdminReset } from "./admin-reset.ts";
import { addApiApply } from "./api-apply.ts";
import { addApiDelete } from "./api-delete.ts";
import { addApiGet, addApiList } from "./api-read.ts";
import { addAuditList } from "./audit-list.ts";
import { addAuditCheckpoint, addAuditVerify } from "./audit-verify.ts";
import { addBackup } from "./backup.ts";
import { addDoctor } from "./doctor.ts";
import { EXIT_CODES, type ExitName } from "./exit-code.ts";
import { addHealthCommand } from "./health-command.ts";
import { addKeyCreate } from "./key-create.ts";
import { addKeyExplain } from "./key-explain.ts";
import { addKeyImport } from "./key-import.ts";
import { addKeyGet, addKeyList } from "./key-read.ts";
import { addKeyRotate } from "./key-rotate.ts";
import { addKeyDisable, addKeyEnable, addKeyEndGrace, addKeyRevoke } from "./key-state.ts";
import { addKeyUpdate } from "./key-update.ts";
import type { Paint } from "./paint.ts";
import { addRestore } from "./restore.ts";
import { addRouteExplain } from "./route-explain.ts";
import { addSecretForget } from "./secret-forget.ts";
import { addSecretList } from "./secret-list.ts";
import { addSecretRotate } from "./secret-rotate.ts";
import { addSelfCommands } from "./self-command.ts";
import { addServeCommand } from "./serve-command.ts";
import type { Shell } from "./shell.ts";
import { addUsageCommand } from "./usage-command.ts";
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
    addKeyImport,
    addKeyList,
    addKeyGet,
    addKeyUpdate,
    addKeyRotate,
    addKeyRevoke,
    addKeyDisable,
    addKeyEnable,
    addKeyEndGrace,
    addKeyExplain,
  ]) {
    add(key, registration);
  }
  const audit = program
    .command("audit")
    .summary("read and verify what was changed")
    .description("Reads and verifies the audit: what was changed, by whom and from where.");
  for (const add of [addAuditList, addAuditVerify, addAuditCheckpoint]) add(audit, registration);
  const route = program
    .command("route")
    .summary("see what requests need")
    .description("Looks at the route rules, which say what requests behind a proxy need.");
  addRouteExplain(route, registration);
  addUsageCommand(program, registration);
  addSelfCommands(program, registration);
  addVerifyCommand(program, registration);
  addHealthCommand(program, registration);
  const secret = program
    .command("secret")
    .summary("manage the server's secrets, on its machine")
    .description("Manages the secrets that a server starts with, on its machine. None is ever shown.");
  for (const add of [addSecretList, addSecretRotate, addSecretForget]) add(secret, registration);
  for (const add of [addBackup, addRestore, addDoctor]) add(program, registration);
  const admin = program
    .command("admin")
    .summary("replace a lost admin token, on the server's machine")
    .description("Manages administrators on the server's machine.");
  addAdminReset(admin, registration);
  const codes = Object.values(EXIT_CODES)
    .map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`)
    .join("\n");
  program.addHelpText(
    "after",
    `\nExit codes:\n${codes}\n\nkeywarden <command> --help shows a command's options and examples.`,
  );
  return program;
}
