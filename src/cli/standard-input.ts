import { Failure, usage } from "./failure.ts";
import type { Shell } from "./shell.ts";

/** All that comes on standard input, as UTF-8. @throws Failure if it is more than `limit` bytes. */
export async function readStandardInput({ stdin }: Shell, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) throw new Failure("usage", `standard input is longer than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Bytes. No token is longer than 512 characters; what is longer is not read on. */
const LONGEST_TOKEN = 4_096;

/** The token on standard input. `command`: what to pipe it into, for who did not. @throws Failure */
export async function readToken(shell: Shell, command: string): Promise<string> {
  if (shell.stdin.isTTY === true) {
    throw usage(
      "the token comes on standard input, so that it is seen neither on the screen nor in the list of processes",
      `printf %s "$TOKEN" | ${command}`,
    );
  }
  return (await readStandardInput(shell, LONGEST_TOKEN)).replace(/\r?\n$/, "");
}
