import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keywarden, type Surroundings } from "../support/command-line.ts";
import { startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";

export const EXAMPLE = join(import.meta.dirname, "../../examples/connect2print.yaml");

/** A real server with a new store, and the command line pointed at it. */
export async function cliSession() {
  const directory = temporaryDirectory();
  const server = await startKeywarden({ directory: directory.path, flags: ["--environment", "test"] });
  const tokenFile = join(directory.path, "admin-token");
  const variables = {
    KEYWARDEN_ADDRESS: server.adminGrpc,
    KEYWARDEN_VERIFY_ADDRESS: server.grpc,
    KEYWARDEN_TOKEN_FILE: tokenFile,
  };
  const cli = (args: readonly string[], rest: Omit<Surroundings, "variables"> = {}) =>
    keywarden(args, { variables, ...rest });
  return {
    server,
    variables,
    cli,
    adminToken: readFileSync(tokenFile, "utf8").trim(),
    /** What a command printed as JSON. */
    async json(args: readonly string[]) {
      const { code, stdout, stderr } = await cli([...args, "--json"]);
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async close() {
      await server.stop();
      directory.remove();
    },
  };
}
