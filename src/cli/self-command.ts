import type { Command } from "commander";
import { GetOwnKeyResponseSchema, RevokeOwnKeyResponseSchema } from "../gen/keywarden/v1/self_service_pb.ts";
import { SELF_SETTINGS } from "../settings.ts";
import { callSelf } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { keyFacts, keyTitle } from "./key-text.ts";
import { safeText } from "./safe-text.ts";
import { readToken } from "./standard-input.ts";
import { facts } from "./table.ts";

/** `keywarden self`: what the holder of a token may do with its key. */
export function addSelfCommands(program: Command, registration: Registration): void {
  const self = program
    .command("self")
    .summary("look at or revoke the key of a token that you hold")
    .description(
      "Reads a token from standard input, and acts on its key with the token itself: no admin is needed.",
    );
  addSelfGet(self, registration);
  addSelfRevoke(self, registration);
}

function addSelfGet(parent: Command, registration: Registration): void {
  const command = parent.command("get").summary("show the token's key");
  command.description("Shows the key that the token on standard input belongs to.");
  examples(command, [[`printf %s "$TOKEN" | keywarden self get`, "what may I do, and until when?"]]);
  clientAction(
    command,
    registration,
    async (session) => {
      const { settings, shell, paint, print } = session;
      const token = await readToken(shell, "keywarden self get");
      const response = await callSelf(settings, token, (client) => client.getOwnKey({}));
      if (settings.json) await print(responseJson(GetOwnKeyResponseSchema, response));
      else if (response.key !== undefined) await print(facts(keyFacts(response.key, shell.now()), paint));
      return "ok";
    },
    SELF_SETTINGS,
  );
}

function addSelfRevoke(parent: Command, registration: Registration): void {
  const command = parent.command("revoke").summary("end the token's key for ever");
  command
    .description(
      "Ends the key that the token on standard input belongs to, for ever: for who has leaked it. " +
        "Standard input is the token, so nobody can be asked: --yes says that you mean it.",
    )
    .option("-y, --yes", "do it");
  examples(command, [[`printf %s "$TOKEN" | keywarden self revoke --yes`, "it was in a log"]]);
  clientAction(
    command,
    registration,
    async (session) => {
      const { settings, shell, paint, print } = session;
      if (!command.opts<{ readonly yes?: true }>().yes)
        throw usage("nothing was changed: say --yes to end the key for ever");
      const token = await readToken(shell, "keywarden self revoke --yes");
      const response = await callSelf(settings, token, (client) => client.revokeOwnKey({}));
      if (settings.json) await print(responseJson(RevokeOwnKeyResponseSchema, response));
      else if (response.key !== undefined) {
        await print(`${paint("green", "✓")} Revoked ${safeText(keyTitle(response.key))}\n`);
      }
      return "ok";
    },
    SELF_SETTINGS,
  );
}
