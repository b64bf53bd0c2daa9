import type { Command } from "commander";
import {
  DisableKeyResponseSchema,
  EnableKeyResponseSchema,
  EndGraceResponseSchema,
  RevokeKeyResponseSchema,
} from "../gen/keywarden/v1/admin_service_pb.ts";
import type { Key } from "../gen/keywarden/v1/key_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson, type Session } from "./client-command.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { examples } from "./examples.ts";
import { keyTitle } from "./key-text.ts";
import { safeText } from "./safe-text.ts";

interface StateOptions {
  readonly etag?: string;
}

interface RevokeOptions extends StateOptions {
  readonly yes?: true;
}

const EXAMPLE_ID = "0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60";
const ETAG = ["--etag <etag>", "refuse if the key has changed since this was read"] as const;

async function tellDone({ print, paint }: Session, key: Key | undefined, done: string): Promise<void> {
  if (key !== undefined) await print(`${paint("green", "✓")} ${done} ${safeText(keyTitle(key))}\n`);
}

/** `keywarden key revoke`. */
export function addKeyRevoke(parent: Command, registration: Registration): void {
  const command = parent
    .command("revoke")
    .summary("end a key for ever")
    .description(
      "Ends a key for ever: once the command is done, no server accepts it. Asks first, unless --yes is given.",
    )
    .argument("<id>", "the key's id")
    .option("-y, --yes", "do not ask")
    .option(...ETAG);
  examples(command, [[`keywarden key revoke ${EXAMPLE_ID} --yes`, "from a script"]]);
  clientAction(command, registration, async (session, keyId) => {
    const { yes, etag = "" } = command.opts<RevokeOptions>();
    if (!yes) requireTerminal(session.shell);
    const response = await callAdmin(session.settings, async (client) => {
      if (yes) return client.revokeKey({ keyId, etag });
      const { key } = await client.getKey({ keyId });
      const whose =
        key === undefined
          ? `key ${keyId}`
          : `${keyTitle(key)} of ${key.owner}, ${key.api} ${key.environment}`;
      await confirm(session.shell, `Revoke ${safeText(whose)} for ever?`);
      return client.revokeKey({ keyId, etag });
    });
    if (session.settings.json) await session.print(responseJson(RevokeKeyResponseSchema, response));
    else await tellDone(session, response.key, "Revoked");
    return "ok";
  });
}

/** `keywarden key disable`. */
export function addKeyDisable(parent: Command, registration: Registration): void {
  const command = parent
    .command("disable")
    .summary("refuse a key until it is enabled again")
    .description("Refuses a key until it is enabled again. It is in force once the command is done.")
    .argument("<id>", "the key's id")
    .option(...ETAG);
  examples(command, [[`keywarden key disable ${EXAMPLE_ID}`, "stop it while you find out what it does"]]);
  clientAction(command, registration, async (session, keyId) => {
    const { etag = "" } = command.opts<StateOptions>();
    const response = await callAdmin(session.settings, (client) => client.disableKey({ keyId, etag }));
    if (session.settings.json) await session.print(responseJson(DisableKeyResponseSchema, response));
    else await tellDone(session, response.key, "Disabled");
    return "ok";
  });
}

/** `keywarden key enable`. */
export function addKeyEnable(parent: Command, registration: Registration): void {
  const command = parent
    .command("enable")
    .summary("accept a disabled key again")
    .description("Ends a disabling. A revoked key stays revoked.")
    .argument("<id>", "the key's id")
    .option(...ETAG);
  examples(command, [[`keywarden key enable ${EXAMPLE_ID}`, "accept it again"]]);
  clientAction(command, registration, async (session, keyId) => {
    const { etag = "" } = command.opts<StateOptions>();
    const response = await callAdmin(session.settings, (client) => client.enableKey({ keyId, etag }));
    if (session.settings.json) await session.print(responseJson(EnableKeyResponseSchema, response));
    else await tellDone(session, response.key, "Enabled");
    return "ok";
  });
}

/** `keywarden key end-grace`. */
export function addKeyEndGrace(parent: Command, registration: Registration): void {
  const command = parent
    .command("end-grace")
    .summary("refuse the old token of a rotation from now on")
    .description(
      "Ends the grace of the last rotation: only the current token is accepted from now on. " +
        "key get shows when and from where the old token was last used.",
    )
    .argument("<id>", "the key's id")
    .option(...ETAG);
  examples(command, [[`keywarden key end-grace ${EXAMPLE_ID}`, "once nobody uses the old token any more"]]);
  clientAction(command, registration, async (session, keyId) => {
    const { etag = "" } = command.opts<StateOptions>();
    const response = await callAdmin(session.settings, (client) => client.endGrace({ keyId, etag }));
    if (session.settings.json) await session.print(responseJson(EndGraceResponseSchema, response));
    else await tellDone(session, response.key, "Only the current token is accepted of");
    return "ok";
  });
}
