import { removedIfInterrupted } from "../../src/machine/removed-if-interrupted.ts";

/** Takes care of the file that its argument names, says so, and waits to be interrupted. */
removedIfInterrupted(process.argv[2] ?? "");
console.log("waiting");
setInterval(() => {}, 1_000);
