import type { Command } from "commander";
import type { ApplyOptions } from "./apply-api.ts";
import { clientAction, type Registration } from "./client-command.ts";
import { examples } from "./examples.ts";

/** `keywarden api apply`. */
export function addApiApply(parent: Command, registration: Registration): void {
  const command = parent
    .command("apply")
    .summary("make an API as a file describes it")
    .description(
      "Creates the API that a YAML file describes, or changes it to what the file says, and shows what differs. " +
        "Applying a file twice changes nothing. Asks first if scopes, environments or shapes of imported tokens would go, unless --yes is given.",
    )
    .requiredOption("-f, --file <file>", "the YAML file; - reads standard input")
    .option("--dry-run", "only show what would change")
    .option("-y, --yes", "do not ask");
  examples(command, [
    ["keywarden api apply -f examples/connect2print.yaml --dry-run", "see what would change"],
    ["keywarden api apply -f examples/connect2print.yaml", "make it so"],
  ]);
  clientAction(command, registration, async (session) => {
    // YAML and diffs are for this command only: every other one starts sooner without them.
    const { applyApi } = await import("./apply-api.ts");
    await applyApi(session, command.opts<ApplyOptions>());
    return "ok";
  });
}
