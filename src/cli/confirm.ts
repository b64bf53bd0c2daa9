import { createInterface } from "node:readline/promises";
import { Failure, usage } from "./failure.ts";
import type { Shell } from "./shell.ts";

type Terminal = Pick<Shell, "stdin" | "stderr">;

/** @throws Failure if there is nobody to ask. */
export function requireTerminal({ stdin, stderr }: Terminal): void {
  if (stdin.isTTY === true && stderr.isTTY === true) return;
  throw usage(
    "this needs a person's answer, and there is no terminal to ask on",
    "Say --yes to do it without asking.",
  );
}

/**
 * Asks a person, and takes only y or yes for one. The question goes to standard error.
 * @throws Failure if nobody can be asked, if the answer is another, or on Ctrl-C.
 */
export async function confirm(shell: Terminal, question: string): Promise<void> {
  requireTerminal(shell);
  const { stdin, stderr } = shell;
  const interrupted = new AbortController();
  const lines = createInterface({ input: stdin, output: stderr });
  lines.on("SIGINT", () => interrupted.abort());
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const asked = lines.question(`${question} [y/N] `, { signal: interrupted.signal });
    const answer = await Promise.race([asked, ended]);
    if (!/^y(es)?$/i.test(answer.trim())) throw usage("nothing was changed");
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    stderr.write("\n");
    throw new Failure("interrupted", "nothing was changed", [], error);
  } finally {
    lines.close();
  }
}
