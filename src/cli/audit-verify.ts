import { readFile } from "node:fs/promises";
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { CreateAuditCheckpointResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import {
  type AuditCheckpoint,
  AuditCheckpointSchema,
  type AuditProblem,
  AuditProblem_KindSchema,
} from "../gen/keywarden/v1/audit_pb.ts";
import { type AdminClient, callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import { safeText } from "./safe-text.ts";
import { unreadable } from "./unreadable.ts";

interface VerifyOptions {
  readonly checkpoint?: string;
}

interface Findings {
  readonly events: bigint;
  readonly head: bigint;
  readonly problems: readonly AuditProblem[];
}

/** `keywarden audit verify`. */
export function addAuditVerify(parent: Command, registration: Registration): void {
  const command = parent
    .command("verify")
    .summary("find whatever was done to the audit")
    .description(
      "Looks at every event of the audit: an edited, a missing, a moved, an added one, or an end that was cut off is found. " +
        "That the whole database was put back as it was before shows only by a checkpoint that was kept elsewhere. " +
        "Ends with 1 if anything is wrong.",
    )
    .option("--checkpoint <file>", "a checkpoint that audit checkpoint made; - for standard input");
  examples(command, [
    ["keywarden audit verify", "by itself"],
    ["keywarden audit verify --checkpoint /mnt/elsewhere/checkpoint.json", "and against what was kept"],
  ]);
  clientAction(command, registration, async (session) => {
    const { checkpoint: file } = command.opts<VerifyOptions>();
    const checkpoint = file === undefined ? undefined : await readCheckpoint(file);
    const { settings, print, paint } = session;
    const found = await callAdmin(settings, (client) => verifyAll(client, checkpoint));
    const isSound = found.problems.length === 0;
    if (settings.json) {
      const problems = found.problems.map((problem) => ({
        kind: kindOf(problem),
        revision: String(problem.revision),
        message: problem.message,
      }));
      const summary = { events: String(found.events), headRevision: String(found.head), problems };
      await print(`${JSON.stringify(summary, undefined, 2)}\n`);
    } else if (isSound) {
      await print(`${paint("green", "✓")} ${found.events} events, and nothing is wrong with them\n`);
    } else {
      const lines = found.problems.map((problem) => safeText(`${kindOf(problem)}: ${problem.message}`));
      await print(
        `${paint("red", "✗")} the audit was changed\n${lines.map((line) => `  ${line}\n`).join("")}`,
      );
    }
    return isSound ? "ok" : "denied";
  });
}

/** `keywarden audit checkpoint`. */
export function addAuditCheckpoint(parent: Command, registration: Registration): void {
  const command = parent
    .command("checkpoint")
    .summary("sign where the audit ends now")
    .description(
      "Prints a signed checkpoint of the audit. Keep it where who can change the database can't: " +
        "audit verify --checkpoint then finds whatever was changed before it.",
    );
  examples(command, [
    ["keywarden audit checkpoint > /mnt/elsewhere/checkpoint.json", "every day, from a timer"],
  ]);
  clientAction(command, registration, async ({ settings, print }) => {
    const response = await callAdmin(settings, (client) => client.createAuditCheckpoint({}));
    const { checkpoint } = response;
    if (settings.json) await print(responseJson(CreateAuditCheckpointResponseSchema, response));
    else if (checkpoint !== undefined) await print(`${toJsonString(AuditCheckpointSchema, checkpoint)}\n`);
    return "ok";
  });
}

async function verifyAll(client: AdminClient, checkpoint: AuditCheckpoint | undefined): Promise<Findings> {
  const problems: AuditProblem[] = [];
  let events = 0n;
  let head = 0n;
  let fromRevision = 0n;
  do {
    const kept = checkpoint === undefined ? {} : { checkpoint };
    const part = await client.verifyAudit({ fromRevision, ...kept });
    events += part.events;
    head = part.headRevision;
    problems.push(...part.problems);
    fromRevision = part.nextRevision;
  } while (fromRevision !== 0n);
  return { events, head, problems };
}

async function readCheckpoint(file: string): Promise<AuditCheckpoint> {
  const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8").catch((error: unknown) => {
    throw unreadable(error, "the checkpoint", file);
  });
  try {
    return fromJsonString(AuditCheckpointSchema, text);
  } catch {
    throw usage(`${file} holds no checkpoint`, "Make one with keywarden audit checkpoint > FILE.");
  }
}

function kindOf({ kind }: AuditProblem): string {
  return (AuditProblem_KindSchema.value[kind]?.localName ?? "unknown").toLowerCase();
}
