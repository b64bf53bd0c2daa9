import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { z } from "zod";
import { EXIT_CODES } from "./cli/exit-code.ts";
import { run } from "./cli/run.ts";
import { machine } from "./machine/machine.ts";
import type { ServeSettings } from "./settings.ts";

/** Serves until the server has stopped: told to by a signal, or because its launcher (run.mjs) is gone. */
async function serve(settings: ServeSettings): Promise<number> {
  // What survives while the server starts makes V8 allocate its like in the old generation for good: short-lived
  // objects of every HTTP/2 stream among it, such as those of process.nextTick, which then takes 0.8 µs in place of 0.1.
  // Without this guess a VerifyKey costs an eighth less CPU.
  setFlagsFromString("--no-allocation-site-pretenuring");
  const stopping = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.resolve());
  process.once("disconnect", () => stopping.resolve());
  process.channel?.unref();
  if (process.connected === false) stopping.resolve();
  const { serve: start } = await import("./compose.ts");
  const server = await start(settings);
  void stopping.promise.then(() => server.stop());
  const { failed } = await server.stopped;
  const { code } = EXIT_CODES[failed ? "failed" : "ok"];
  // Nothing is left that keeps the process alive; if something is, it does not keep it for long.
  setTimeout(() => process.exit(code), 1_000).unref();
  return code;
}

/** Loaded when it is needed, as everything that is not for every command. */
function secretChanges() {
  return import("./adapters/secrets/secret-changes.ts");
}

/** Milliseconds within which two signals are one Ctrl-C: it comes from the terminal and from the launcher (run.mjs). */
const ONE_INTERRUPTION = 500;

function onInterrupt(act: () => void): () => void {
  let first: number | undefined;
  const heed = () => {
    first ??= Date.now();
    if (Date.now() - first > ONE_INTERRUPTION) process.exit(EXIT_CODES.interrupted.code);
    act();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, heed);
  return () => {
    for (const signal of signals) process.off(signal, heed);
  };
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(EXIT_CODES[error.code === "EPIPE" ? "closedPipe" : "failed"].code);
  });
}

const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const { version } = z.object({ version: z.string() }).parse(manifest);
process.exitCode = await run(process.argv.slice(2), version, {
  variables: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  serve,
  onInterrupt,
  secrets: {
    list: async (sources) => (await secretChanges()).listSecrets(sources),
    rotate: async (kind, path) => (await secretChanges()).rotateSecret(kind, path),
    forget: async (kind, path, id) => (await secretChanges()).forgetSecret(kind, path, id),
  },
  ...machine,
});
