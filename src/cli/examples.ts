import type { Command } from "commander";

/** Shows command lines, each with what it does, at the end of a command's help. */
export function examples(command: Command, lines: readonly (readonly [line: string, does: string])[]): void {
  const text = lines.map(([line, does]) => `  # ${does}\n  ${line}`).join("\n");
  command.addHelpText("after", `\nExamples:\n${text}`);
}
