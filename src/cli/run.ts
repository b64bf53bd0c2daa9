import { CommanderError } from "commander";
import { withoutTokens } from "../domain/without-tokens.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { asFailure } from "./failure.ts";
import { createPaint } from "./paint.ts";
import { createProgram } from "./program.ts";
import type { Shell } from "./shell.ts";

/** Runs one command line (without `node` and the script's name) and resolves with its exit code. */
export async function run(args: readonly string[], version: string, shell: Shell): Promise<number> {
  const paint = createPaint(shell.stderr, args.includes("--no-color"));
  let code: number = EXIT_CODES.ok.code;
  const program = createProgram(version, shell, paint, (outcome) => {
    code = outcome;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return EXIT_CODES[error.exitCode === 0 ? "ok" : "usage"].code;
    const { exit, message, next } = asFailure(error);
    const lines = [`${paint(["bold", "red"], "error:")} ${message}`, ...next.map((line) => `  ${line}`)];
    shell.stderr.write(`${withoutTokens(lines.join("\n"))}\n`);
    return EXIT_CODES[exit].code;
  }
}
