import type { KeywardenProcess } from "./keywarden-process.ts";

/** How many verifications each thread of a server that has stopped says it was asked for, by its number. */
export function verificationsOf({ output }: KeywardenProcess): ReadonlyMap<number, number> {
  const lines = output()
    .split("\n")
    .filter((line) => line.includes("stopped verifying"));
  return new Map(
    lines.map((line) => {
      const { worker, verifications } = JSON.parse(line);
      return [worker, verifications];
    }),
  );
}
