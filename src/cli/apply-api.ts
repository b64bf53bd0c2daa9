import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  CreateApiResponseSchema,
  GetApiResponseSchema,
  UpdateApiResponseSchema,
} from "../gen/keywarden/v1/admin_service_pb.ts";
import type { Api } from "../gen/keywarden/v1/api_pb.ts";
import { apiDiff, changedFields, removals } from "./api-diff.ts";
import { parseApiFile } from "./api-file.ts";
import { type AdminClient, callAdmin } from "./call.ts";
import { responseJson, type Session } from "./client-command.ts";
import { confirm } from "./confirm.ts";
import { usage } from "./failure.ts";
import { RpcError } from "./rpc-client.ts";
import { safeText } from "./safe-text.ts";
import type { Shell } from "./shell.ts";
import { readStandardInput } from "./standard-input.ts";
import { unreadable } from "./unreadable.ts";

const FILE_LIMIT = 4 * 1024 * 1024;

/** What `keywarden api apply` is told. */
export interface ApplyOptions {
  readonly file: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

async function readSource(shell: Shell, file: string): Promise<string> {
  if (file === "-") return readStandardInput(shell, FILE_LIMIT);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(error, "the file", resolve(file));
  });
}

async function readApi(client: AdminClient, apiId: string): Promise<Api | undefined> {
  try {
    return (await client.getApi({ apiId })).api;
  } catch (error) {
    if (error instanceof RpcError && error.status === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Says loudly what an update takes away, and has it confirmed. */
async function warnOfRemovals(
  session: Session,
  before: Api,
  after: Api,
  { yes, dryRun }: ApplyOptions,
): Promise<void> {
  const { environments, scopes, shapes } = removals(before, after);
  const lines = [
    ...environments.map(
      (name) => `removes the environment ${name}; the server refuses that while it has keys`,
    ),
    ...scopes.map((name) => `removes the scope ${name} from the catalogue`),
    ...shapes.map(
      ({ prefix, minLength, maxLength }) =>
        `removes or narrows the shape of imported tokens { prefix: ${JSON.stringify(prefix)}, min_length: ${minLength}, ` +
        `max_length: ${maxLength} }; keys whose tokens have no shape any more are denied`,
    ),
  ];
  if (lines.length === 0) return;
  const warnings = lines.map((line) => session.paintError(["bold", "red"], `! ${safeText(line)}`));
  await session.tell(`${warnings.join("\n")}\n`);
  if (yes === undefined && dryRun === undefined) await confirm(session.shell, "Apply all the same?");
}

async function showDiff(session: Session, before: Api | undefined, after: Api, file: string): Promise<void> {
  const name = file === "-" ? "standard input" : file;
  if (!session.settings.json) await session.print(apiDiff(before, after, name, session.paint));
}

async function tellOutcome(
  { print, paint, settings }: Session,
  json: string,
  outcome: string,
): Promise<void> {
  await print(settings.json ? json : `${paint("green", "✓")} ${outcome}\n`);
}

async function createApi(
  session: Session,
  client: AdminClient,
  api: Api,
  options: ApplyOptions,
): Promise<void> {
  await showDiff(session, undefined, api, options.file);
  if (options.dryRun) return;
  const response = await client.createApi({ api });
  await tellOutcome(session, responseJson(CreateApiResponseSchema, response), `Created API ${api.apiId}`);
}

async function updateApi(
  session: Session,
  client: AdminClient,
  before: Api,
  after: Api,
  options: ApplyOptions,
): Promise<void> {
  if (before.tokenPrefix !== after.tokenPrefix) {
    throw usage(
      `the token prefix of ${after.apiId} is ${safeText(before.tokenPrefix)} and cannot change`,
      `Write token_prefix: ${safeText(before.tokenPrefix)}, or make an API with another id.`,
    );
  }
  const paths = changedFields(before, after);
  if (paths.length === 0) {
    const unchanged = responseJson(GetApiResponseSchema, {
      $typeName: "keywarden.v1.GetApiResponse",
      api: before,
    });
    return tellOutcome(session, unchanged, `API ${after.apiId} is unchanged`);
  }
  await showDiff(session, before, after, options.file);
  await warnOfRemovals(session, before, after, options);
  if (options.dryRun) return;
  const response = await client.updateApi({
    api: { ...after, etag: before.etag },
    updateMask: { paths: [...paths] },
  });
  await tellOutcome(session, responseJson(UpdateApiResponseSchema, response), `Updated API ${after.apiId}`);
}

/** Makes an API as its file describes it. */
export async function applyApi(session: Session, options: ApplyOptions): Promise<void> {
  if (options.dryRun && session.settings.json) throw usage("--dry-run shows a diff: leave --json out");
  const name = options.file === "-" ? "standard input" : options.file;
  const after = parseApiFile(await readSource(session.shell, options.file), name);
  await callAdmin(session.settings, async (client) => {
    const before = await readApi(client, after.apiId);
    if (before === undefined) await createApi(session, client, after, options);
    else await updateApi(session, client, before, after, options);
  });
  if (options.dryRun) await session.tell("Nothing was changed (--dry-run).\n");
}
