import { join } from "node:path";
import Database from "better-sqlite3";
import { forgetSecret, listSecrets, rotateSecret } from "../../src/adapters/secrets/secret-changes.ts";
import type { Shell } from "../../src/cli/shell.ts";
import { machine } from "../../src/machine/machine.ts";
import { keywarden, type Surroundings } from "../support/command-line.ts";

const MACHINE = {
  ...machine,
  secrets: {
    list: (sources) => listSecrets(sources),
    rotate: async (kind, path) => rotateSecret(kind, path),
    forget: async (kind, path, id) => forgetSecret(kind, path, id),
  },
} satisfies Partial<Shell>;

/** The commands that work on a store's machine without a server, for the store in this directory. */
export function machineSession(directory: string, surroundings: Surroundings = {}) {
  const store = join(directory, "keywarden.db");
  const variables = { KEYWARDEN_STORE: `sqlite:${store}` };
  const cli = (args: readonly string[], rest: Surroundings = {}) =>
    keywarden(args, { variables, machine: MACHINE, ...surroundings, ...rest });
  return {
    store,
    variables,
    cli,
    /** What a command printed as JSON, whatever it ended with. */
    async json(args: readonly string[], rest: Surroundings = {}) {
      const { stdout, stderr } = await cli([...args, "--json"], rest);
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout);
    },
    /** Edits the database as somebody would who can write its file. */
    tamper(...statements: readonly string[]): void {
      const db = new Database(store);
      db.pragma("ignore_check_constraints = ON");
      db.pragma("foreign_keys = OFF");
      for (const statement of statements) db.exec(statement);
      db.close();
    },
  };
}
