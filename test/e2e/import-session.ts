import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Surroundings } from "../support/command-line.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { cliSession } from "./cli-session.ts";

export const SAMPLES = join(import.meta.dirname, "../../examples/migrate");
export const IMPORT = ["--api", "shop", "--environment", "live"];
/** The options for a file that `csvOf` makes. */
export const HEX = [...IMPORT, "--hash", "sha256-hex"];

/** Every token of these tests has this in it, so that it is found wherever it does not belong. */
export const tokenOf = (name: string | number) => `shop_secret_of_the_import_test_${name}`;
export const hexOf = (name: string | number) => hash("sha256", tokenOf(name), "hex");

export const csvOf = (names: readonly (string | number)[]) =>
  ["token,owner", ...names.map((name) => `${hexOf(name)},acct_1`), ""].join("\n");

/** What of the tokens and hashes of these tests is in a text where none belongs. */
export function secretsIn(text: string): readonly string[] {
  return ["secret", "kongExample", hexOf("good"), hexOf(1)].filter((secret) => text.includes(secret));
}

/** For all tests of a file, a server with the API `shop`, and a folder for what is imported. */
export function importSession() {
  const directory = temporaryDirectory();
  let session: Awaited<ReturnType<typeof cliSession>>;
  let printed = "";

  beforeAll(async () => {
    session = await cliSession();
    await session.cli(["api", "apply", "--yes", "-f", join(SAMPLES, "shop.yaml")]);
  });
  afterAll(async () => {
    await session.close();
    directory.remove();
  });

  const place = (name: string) => join(directory.path, name);

  function noted<Outcome extends { readonly stdout: string; readonly stderr: string }>(
    outcome: Outcome,
  ): Outcome {
    printed += outcome.stdout + outcome.stderr;
    return outcome;
  }

  async function run(args: readonly string[], rest: Omit<Surroundings, "variables"> = {}) {
    return noted(await session.cli(["key", "import", ...args], rest));
  }

  return {
    get session() {
      return session;
    },
    /** Where a file of this name is. */
    place,
    file(name: string, text: string): string {
      writeFileSync(place(name), text);
      return place(name);
    },
    run,
    noted,
    /** What the command's summary says. */
    async summary(args: readonly string[], rest: Omit<Surroundings, "variables"> = {}) {
      const { stdout } = await run([...args, "--json"], rest);
      return JSON.parse(stdout);
    },
    async verify(token: string, ...options: string[]): Promise<number> {
      return (await session.cli(["verify", ...IMPORT, ...options], { input: token })).code;
    },
    /** All that any command or the server has printed. */
    said: () => printed + session.server.output(),
  };
}
