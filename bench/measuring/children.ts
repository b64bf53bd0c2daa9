import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The server under load has the first core for itself, and whatever makes the load the second. */
export const SERVER_CORE = 0;
const LOAD_CORE = 1;

const STOP_PATIENCE = 5_000;

const running = new Set<ChildProcess>();

/** What a command is run under to stay on one core. */
export function pinnedTo(core: number): readonly string[] {
  return ["taskset", "-c", String(core)];
}

/**
 * Runs a command on the load's core and resolves with what it printed. Rejects, with its complaint, if it failed. It goes
 * before whatever else wants that core, where we may say so: it stands for clients on other machines.
 */
export async function runOnLoadCore(command: string, args: readonly string[]): Promise<string> {
  const child = start(["nice", "-n", "-10", ...pinnedTo(LOAD_CORE), command, ...args]);
  let output = "";
  let complaint = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    complaint += chunk;
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}: ${complaint || output}`);
  return output;
}

/** A server that prints its address first. */
export interface StartedServer {
  readonly pid: number;
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts such a server on the servers' core. Rejects if it ends before it has an address. */
export async function startOnServerCore(command: string, args: readonly string[]): Promise<StartedServer> {
  const child = start([...pinnedTo(SERVER_CORE), command, ...args]);
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint += chunk;
  });
  const address = Promise.withResolvers<string>();
  if (child.stdout) createInterface({ input: child.stdout }).once("line", address.resolve);
  child.once("exit", () => address.reject(new Error(`${command} ended before it served: ${complaint}`)));
  return {
    pid: child.pid ?? -1,
    address: await address.promise,
    stop: async () => {
      if (!running.has(child)) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE);
      await exited;
      clearTimeout(force);
    },
  };
}

/** Ends at once what was started here and still runs. */
export function killChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}

function start(command: readonly string[]): ChildProcess {
  const [first = "", ...rest] = command;
  // taskset becomes what it runs, so that the child's id is the server's own.
  const child = spawn(first, rest, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}
