import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, sep } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** The surroundings of somebody who has only the machine's own Node.js and npm: nothing of this project, no settings. */
export function newcomersVariables(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|KEYWARDEN_|NODE_OPTIONS$|VITEST)/.test(name),
  );
  const { PATH = "", ...rest } = Object.fromEntries(kept);
  const folders = PATH.split(delimiter).filter((folder) => !folder.includes(`${sep}node_modules${sep}`));
  return { ...rest, PATH: folders.join(delimiter), NO_COLOR: "1" };
}

const execute = promisify(execFile);

/** Runs a command to its end and gives what it printed; rejects with its output if it fails. */
export async function run(
  cwd: string,
  command: string,
  args: readonly string[],
  given: { readonly input?: string; readonly variables?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const running = execute(command, args, { cwd, env: { ...newcomersVariables(), ...given.variables } });
  // It may end without reading.
  running.child.stdin?.on("error", () => {}).end(given.input ?? "");
  try {
    return (await running).stdout;
  } catch (error) {
    if (error instanceof Error && "stdout" in error) error.message += `\n${error.stdout}`;
    throw error;
  }
}

interface Server {
  readonly child: ChildProcess;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  readonly grpc: string;
  readonly adminGrpc: string;
  /** SIGTERM to what was spawned, then its exit code. */
  stop(): Promise<number | null>;
}

/** Starts what logs that it serves, as `keywarden serve --log-format json` does. Rejects with its output if it ends before. */
export async function startServer(
  cwd: string,
  command: string,
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<Server> {
  const child = spawn(command, args, {
    cwd,
    env: { ...newcomersVariables(), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const ended = once(child, "close").then(() => child.exitCode);
  const serving = Promise.withResolvers<{ grpc: string; adminGrpc: string }>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    output += `${line}\n`;
    if (line.includes('"msg":"serving"')) serving.resolve(JSON.parse(line));
  });
  ended.then(
    () => serving.reject(new Error(`it ended before it served:\n${output}`)),
    (error: unknown) => serving.reject(error),
  );
  const { grpc, adminGrpc } = await serving.promise;
  return {
    child,
    ended,
    grpc,
    adminGrpc,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
