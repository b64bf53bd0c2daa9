import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { CreateKeyResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { showIssued } from "./issued-token.ts";
import { addKeyOptions, binding, expiration, type KeyOptions, OWNER } from "./key-options.ts";

interface CreateOptions extends KeyOptions {
  readonly api: string;
  readonly owner: string;
  readonly environment?: string;
  readonly requestId?: string;
}

/** `keywarden key create`. */
export function addKeyCreate(parent: Command, registration: Registration): void {
  const command = parent
    .command("create")
    .summary("create a key and show its token, once")
    .description(
      "Creates a key. Its token is shown once: on standard output, and nothing else is there in a pipe.",
    )
    .requiredOption("--api <id>", "the API that it is for")
    .option("--environment <name>", "one of the API's environments; may be left out if it has only one");
  command.requiredOption(...OWNER);
  addKeyOptions(command, " (repeatable)");
  command.option(
    "--request-id <uuid>",
    "makes it safe to repeat the command within 24 hours: no second key is made",
  );
  examples(command, [
    [
      "keywarden key create --api c2p --environment test --owner acct_42 --name CI \\\n" +
        "      --scope orders:read --scope 'files:*' --expires-in 90d --allow-cidr 203.0.113.0/24",
      "a key that reads orders and does all with files, from one network, for 90 days",
    ],
    [
      "keywarden key create --api keywarden --owner billing --name backend \\\n" +
        "      --scope verify:call --bind-api c2p --bind-environment live --expires-in 90d",
      "a credential for a backend that verifies live keys of c2p",
    ],
    ["TOKEN=$(keywarden key create --api c2p --environment test --owner acct_42)", "keep only the token"],
  ]);
  clientAction(command, registration, async (session) => {
    const options = command.opts<CreateOptions>();
    const until = expiration(options);
    const bound = binding(options);
    const response = await callAdmin(session.settings, (client) =>
      client.createKey({
        requestId: options.requestId ?? randomUUID(),
        key: {
          api: options.api,
          environment: options.environment ?? "",
          owner: options.owner,
          displayName: options.name ?? "",
          scopes: [...(options.scope ?? [])],
          allowedCidrs: [...(options.allowCidr ?? [])],
          rateLimits: [...(options.rateLimit ?? [])],
          metadata: Object.fromEntries(options.metadata ?? []),
          ...(bound === undefined ? {} : { binding: bound }),
          ...(until === undefined ? {} : { expiration: until }),
        },
      }),
    );
    if (!session.settings.json) return showIssued(session, response, "Created");
    await session.print(responseJson(CreateKeyResponseSchema, response));
    return response.replayed ? "refused" : "ok";
  });
}
