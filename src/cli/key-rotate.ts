import { randomUUID } from "node:crypto";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { RotateKeyResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { showIssued } from "./issued-token.ts";
import { asDuration } from "./option-values.ts";

interface RotateOptions {
  readonly grace?: Duration;
  readonly etag?: string;
  readonly requestId?: string;
}

/** `keywarden key rotate`. */
export function addKeyRotate(parent: Command, registration: Registration): void {
  const command = parent
    .command("rotate")
    .summary("give a key a new token and show it, once")
    .description(
      "Gives a key a new token; the key keeps its id, scopes and limits. The old token is accepted until --grace is " +
        "over, and without it no longer. The new one is shown as by key create.",
    )
    .argument("<id>", "the key's id")
    .option("--grace <duration>", "how long the old token is still accepted: 24h, up to 31d", asDuration)
    .option("--etag <etag>", "refuse if the key has changed since this was read")
    .option("--request-id <uuid>", "makes it safe to repeat the command within 24 hours: it rotates once");
  examples(command, [
    [
      "keywarden key rotate 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 --grace 24h",
      "a day to replace the old token",
    ],
  ]);
  clientAction(command, registration, async (session, keyId) => {
    const { grace, etag = "", requestId = randomUUID() } = command.opts<RotateOptions>();
    const response = await callAdmin(session.settings, (client) =>
      client.rotateKey({ keyId, etag, requestId, ...(grace === undefined ? {} : { grace }) }),
    );
    if (!session.settings.json) return showIssued(session, response, "Rotated");
    await session.print(responseJson(RotateKeyResponseSchema, response));
    return response.replayed ? "refused" : "ok";
  });
}
