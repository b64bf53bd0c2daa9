import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { confirm } from "./confirm.ts";

/** A shell whose streams look like a terminal's. */
function terminal(isTTY = true) {
  const stream = () => Object.assign(new PassThrough(), { isTTY });
  const streams = { stdin: stream(), stdout: stream(), stderr: stream() };
  return { shell: streams, ...streams };
}

describe("a question", () => {
  it.each(["y", "Y", "yes", " yes "])("is answered by %j", async (answer) => {
    const { shell, stdin, stdout, stderr } = terminal();
    stdin.write(`${answer}\n`);
    await confirm(shell, "Revoke it?");
    expect(String(stderr.read())).toContain("Revoke it? [y/N] ");
    expect(stdout.read()).toBeNull();
  });

  it.each(["", "n", "yeah", "no", "y y"])("is declined by %j", async (answer) => {
    const { shell, stdin } = terminal();
    stdin.write(`${answer}\n`);
    await expect(confirm(shell, "Revoke it?")).rejects.toMatchObject({
      exit: "usage",
      message: "nothing was changed",
    });
  });

  it("is declined by the end of the input", async () => {
    const { shell, stdin } = terminal();
    stdin.end();
    await expect(confirm(shell, "Revoke it?")).rejects.toMatchObject({ exit: "usage" });
  });

  it("is interrupted by Ctrl-C", async () => {
    const { shell, stdin } = terminal();
    stdin.write("\u0003");
    await expect(confirm(shell, "Revoke it?")).rejects.toMatchObject({ exit: "interrupted" });
  });

  it("is refused where nobody can answer, even if the input says y", async () => {
    const { shell, stdin } = terminal(false);
    stdin.end("y\n");
    await expect(confirm(shell, "Revoke it?")).rejects.toMatchObject({
      exit: "usage",
      next: [expect.stringContaining("--yes")],
    });
  });
});
