import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** What keeps the benchmark from running, with what to do about it. */
export class NotHere extends Error {}

/** Throws NotHere unless the machine has what the benchmark needs; installs h2load where that is allowed. */
export function requireTools(say: (text: string) => void): void {
  if (process.platform !== "linux")
    throw new NotHere("the benchmark needs Linux: it reads /proc and pins processes to cores");
  if (availableParallelism() < 2) {
    throw new NotHere(
      "the benchmark needs two cores: one for the server under load, and one for what loads it",
    );
  }
  if (!has("taskset"))
    throw new NotHere("taskset is missing; install it (Debian, Ubuntu: apt-get install util-linux)");
  if (has("h2load")) return;
  const advice = "h2load is missing; install it (Debian, Ubuntu: apt-get install nghttp2-client)";
  if (process.getuid?.() !== 0 || !has("apt-get")) throw new NotHere(advice);
  say("installing h2load (apt-get install nghttp2-client)");
  const installed = install() || (run("apt-get", "update") && install());
  if (!installed || !has("h2load")) throw new NotHere(`${advice}; apt-get could not do it`);
}

function install(): boolean {
  return run("apt-get", "install", "-y", "--no-install-recommends", "nghttp2-client");
}

function has(command: string): boolean {
  return run(command, "--version");
}

function run(command: string, ...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: "ignore", env }).status === 0;
}
