import { PassThrough } from "node:stream";
import { run } from "../../src/cli/run.ts";
import type { Shell } from "../../src/cli/shell.ts";
import type { Variables } from "../../src/settings/read.ts";

export interface Surroundings {
  readonly variables?: Variables;
  /** What comes on standard input, before it ends. */
  readonly input?: string;
  /** Makes all three streams look like a terminal's, and types `input` there without ending it. */
  readonly terminal?: boolean;
  /** Called at the first question; what it gives is typed as the answer. */
  readonly answer?: () => Promise<string>;
  /** What the command is to find on its machine. */
  readonly machine?: Partial<Shell>;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const nothingThere = async () => {
  throw new Error("there is nothing of the kind on this machine");
};

/** For commands that only call a server. */
const BARE_MACHINE = {
  serve: async () => 0,
  onInterrupt: () => () => {},
  secrets: { list: nothingThere, rotate: nothingThere, forget: nothingThere },
  usedSecrets: nothingThere,
  storeCare: {
    backUp: nothingThere,
    restore: nothingThere,
    examine: nothingThere,
    resetAdministrator: nothingThere,
  },
};

function collected(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** Runs one command line in this process, as `keywarden ...args` would. */
export async function keywarden(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { variables = {}, input = "", terminal = false, answer, machine } = surroundings;
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
  const shell: Shell = { variables, stdin, stdout, stderr, now: Date.now, ...BARE_MACHINE, ...machine };
  const code = await run(args, "1.2.3", shell);
  return { code, stdout: out(), stderr: err() };
}
