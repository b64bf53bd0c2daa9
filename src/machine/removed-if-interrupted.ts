import { rmSync } from "node:fs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Removes files if a signal ends the process before `release` is called. */
export function removedIfInterrupted(...paths: readonly string[]): { release(): void } {
  const onSignal = (signal: NodeJS.Signals) => {
    for (const path of paths) rmSync(path, { force: true });
    release();
    // Now it ends as it would have.
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { release };
}
