import type { ChildProcess } from "node:child_process";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { run, startServer } from "../newcomer.ts";
import type { ImageConfig } from "./buildah.ts";

/** Where a container's file system is, and what is mounted into it. */
export interface Mounts {
  readonly root: string;
  /** At the image's volume. */
  readonly volume: string;
  /** At /run/secrets. */
  readonly secrets?: string;
}

export interface Container {
  /** Its first process, as this machine numbers it. */
  readonly pid: number;
  /** Runs a command beside the server, as `docker exec` does. Rejects with `code` if it fails. */
  exec(command: readonly string[], input?: string): Promise<string>;
  /** SIGTERM to the first process, then its exit code. */
  stop(): Promise<number | null>;
}

/**
 * What a container's engine does, with the machine's own commands: a mount, process and network namespace of its own,
 * a root file system that is read-only, no capabilities, no new privileges.
 */
const SCRIPT = `
root=$1 volume=$2 secrets=$3; shift 3
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=16m,noexec,nosuid,nodev tmpfs "$root/tmp"
mount --bind "$volume" "$root/var/lib/keywarden"
mkdir -p "$root/run/secrets"
test -z "$secrets" || mount --bind "$secrets" "$root/run/secrets"
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
`;

/** As the image says, in which environment and as whom. */
function inImage(config: ImageConfig, variables: Readonly<Record<string, string>>): readonly string[] {
  const [user, group] = config.User.split(":");
  const environment = [...config.Env, ...Object.entries(variables).map((pair) => pair.join("="))];
  const drop = "--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all".split(" ");
  const enter = ["/usr/bin/env", "--ignore-environment", `--chdir=${config.WorkingDir}`, ...environment];
  return [...enter, "setpriv", `--reuid=${user}`, `--regid=${group}`, ...drop];
}

/** Makes a directory whose owner is the image's user, as an engine does for a new volume. */
export function makeOwned(path: string, { User }: ImageConfig): string {
  const [user = 0, group = 0] = User.split(":").map(Number);
  mkdirSync(path, { mode: 0o700, recursive: true });
  chownSync(path, user, group);
  return path;
}

/** Starts the image's own command, once it serves. Rejects with its output if it ends before. */
export async function startContainer(
  config: ImageConfig,
  { root, volume, secrets = "" }: Mounts,
  variables: Readonly<Record<string, string>> = {},
): Promise<Container> {
  const command = [...inImage(config, variables), ...config.Entrypoint, ...config.Cmd];
  const own = "--mount --pid --net --fork --kill-child sh -euc".split(" ");
  const server = await startServer("/", "unshare", [...own, SCRIPT, "sh", root, volume, secrets, ...command]);
  const pid = childOf(server.child);
  return {
    pid,
    exec(args, input = "") {
      const entered = ["--target", String(pid), "--mount", "--pid", "--net", "--root", "--"];
      return run("/", "nsenter", [...entered, ...inImage(config, variables), ...args], { input });
    },
    stop() {
      process.kill(pid, "SIGTERM");
      return server.ended;
    },
  };
}

/** The first process of the namespace; unshare itself waits for it outside, and ends as it does. */
function childOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}
