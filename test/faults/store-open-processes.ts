import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Attempt } from "./store-open-attempt.ts";

const run = promisify(execFile);

const fileOf = (script: string) => join(import.meta.dirname, script);

/** Tries to open the store in a process that is started by this command, such as `setpriv …`. */
export async function attemptAs(command: readonly string[], path: string): Promise<Attempt> {
  const [program = process.execPath, ...args] = [
    ...command,
    process.execPath,
    fileOf("store-open-attempt.ts"),
    path,
  ];
  return JSON.parse((await run(program, args)).stdout);
}

/** Starts a command whose files' modes count: root is stopped by none unless it gives up that right. */
export const WITHOUT_PRIVILEGES: readonly string[] =
  process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];

/** Starts a command that may mount disks, which are gone when it ends. Undefined: this machine does not let us. */
export const WITH_OWN_MOUNTS = [
  ["unshare", "--map-root-user", "--mount"],
  ["unshare", "--mount"],
].find(
  ([program = "", ...args]) =>
    spawnSync(program, [...args, "mount", "-t", "tmpfs", "tmpfs", import.meta.dirname]).status === 0,
);

/** Runs a scenario of `store-open-small-disk.ts` on a disk of 1 MiB that is mounted at the directory. */
export async function onSmallDisk<Seen>(scenario: string, directory: string): Promise<Seen> {
  const [program = "", ...args] = [
    ...(WITH_OWN_MOUNTS ?? []),
    process.execPath,
    fileOf("store-open-small-disk.ts"),
    scenario,
    directory,
  ];
  return JSON.parse((await run(program, args)).stdout);
}

export interface Holder {
  /** What it said first: `open`, or the reason why it could not open the store. */
  readonly said: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A process that opens the store, stores an API in it, and keeps it until it is killed. */
export function startHolder(path: string): Promise<Holder> {
  return startKilled(["store-open-holder.ts", path]);
}

/** Starts a script that says one line and then waits to be killed. */
export async function startKilled([name = "", ...args]: readonly string[]): Promise<Holder> {
  const child = spawn(process.execPath, [fileOf(name), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const [said] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(() => ["ended"]),
  ]);
  return { said, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
