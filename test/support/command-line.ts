import { PassThrough } from "node:stream";
import { run } from "../../src/cli/run.ts";
import type { Variables } from "../../src/settings/read.ts";

export interface Surroundings {
  readonly variables?: Variables;
  /** What comes on standard input, before it ends. */
  readonly input?: string;
  /** Makes all three streams look like a terminal's, and types `input` there without ending it. */
  readonly terminal?: boolean;
  /** Called at the first question; what it gives is typed as the answer. */
  readonly answer?: () => Promise<string>;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function collected(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** Runs one command line in this process, as `keywarden ...args` would. */
export async function keywarden(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { variables = {}, input = "", terminal = false, answer } = surroundings;
  const stream = () => Object.assign(new PassThrough(), { isTTY: terminal });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const [out, err] = [collected(stdout), collected(stderr)];
  stdin.write(input);
  if (answer !== undefined) {
    const typed = async () => {
      if (!err().includes("[y/N]")) return;
      stderr.off("data", typed);
      stdin.write(`${await answer()}\n`);
    };
    stderr.on("data", typed);
  }
  if (!terminal) stdin.end();
  const shell = { variables, stdin, stdout, stderr, now: Date.now, serve: async () => 0 };
  const code = await run(args, "1.2.3", shell);
  return { code, stdout: out(), stderr: err() };
}
