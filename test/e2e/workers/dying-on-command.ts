// What each verification thread of `serve-dying-on-command.ts` imports.
import { existsSync, rmSync } from "node:fs";
import type { VerificationSeam } from "../../../src/compose/verification-server.ts";
import { overrideStore } from "../../support/override-store.ts";

/** A file that says how the next thread dies that is asked about an uncached token. */
export const COMMAND = "die-by-";

const DEATHS = {
  exception: () =>
    setImmediate(() => {
      throw new Error("as the test wants it");
    }),
  rejection: () => Promise.reject(new Error("as the test wants it")),
};

export type Death = keyof typeof DEATHS;

export const wrapReads: VerificationSeam["wrapReads"] = (reads) =>
  overrideStore(reads, {
    async findTokens(digests) {
      for (const [name, die] of Object.entries(DEATHS)) {
        const command = `${process.env["DEATHS"]}/${COMMAND}${name}`;
        if (!existsSync(command)) continue;
        if (process.env["DIE_AGAIN"] === undefined) rmSync(command);
        void die();
        // No answer comes any more.
        return new Promise(() => {});
      }
      return reads.findTokens(digests);
    },
  });
