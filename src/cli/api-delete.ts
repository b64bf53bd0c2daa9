import type { Command } from "commander";
import { DeleteApiResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { examples } from "./examples.ts";
import { safeText } from "./safe-text.ts";

interface DeleteOptions {
  readonly yes?: true;
  readonly etag?: string;
}

/** `keywarden api delete`. */
export function addApiDelete(parent: Command, registration: Registration): void {
  const command = parent
    .command("delete")
    .summary("delete an API that has no keys")
    .description(
      "Deletes an API. The server refuses it while the API has keys, in any state. Asks first, unless --yes is given.",
    )
    .argument("<id>", "the API's id")
    .option("-y, --yes", "do not ask")
    .option("--etag <etag>", "refuse if the API has changed since this was read");
  examples(command, [["keywarden api delete c2p", "asks, then deletes it"]]);
  clientAction(command, registration, async ({ settings, shell, print, paint }, apiId) => {
    const { yes, etag = "" } = command.opts<DeleteOptions>();
    if (!yes) requireTerminal(shell);
    const response = await callAdmin(settings, async (client) => {
      if (yes) return client.deleteApi({ apiId, etag });
      const { api } = await client.getApi({ apiId });
      await confirm(shell, `Delete the API ${safeText(`${apiId} (${api?.displayName ?? ""})`)}?`);
      return client.deleteApi({ apiId, etag: etag || (api?.etag ?? "") });
    });
    if (settings.json) await print(responseJson(DeleteApiResponseSchema, response));
    else await print(`${paint("green", "✓")} Deleted API ${apiId}\n`);
    return "ok";
  });
}
