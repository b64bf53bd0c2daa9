import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { AdminClient } from "../call.ts";
import type { Session } from "../client-command.ts";
import type { ExitName } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { expiration, type KeyOptions } from "../key-options.ts";
import type { Mapped } from "./fields.ts";
import {
  filesOf,
  fingerprintOf,
  type ImportState,
  readState,
  removeState,
  writeState,
} from "./import-state.ts";
import { type ImportInput, openInput } from "./input.ts";
import type { InputFormat } from "./input-format.ts";
import { STANDARD_INPUT } from "./own-files.ts";
import type { PresetName } from "./presets.ts";
import { hashedTokens, plainTokens } from "./read-token.ts";
import { checkColumns, columnName, columnsWithoutUse, type Reading, readingOf } from "./reading.ts";
import { reportToFile, reportToPerson } from "./report.ts";
import { createRowReader, type RowDefaults, type RowReaderOptions } from "./row-reader.ts";
import { runImport } from "./run-import.ts";
import { tellEnd } from "./summary.ts";
import type { HashFormat } from "./token-hash.ts";

/** What `keywarden key import` is told; those of `KeyOptions` are for rows that say nothing. */
export interface ImportOptions extends KeyOptions {
  readonly api: string;
  readonly environment?: string;
  readonly format: InputFormat;
  readonly from: PresetName;
  readonly hash?: HashFormat;
  readonly map?: readonly Mapped[];
  readonly nativeTokens?: true;
  readonly dryRun?: true;
  readonly resume?: true;
  readonly errors?: string;
}

/** Imports the keys of a file. Rejects with a Failure or an RpcError; then, too, it was said how to go on. */
export async function importKeys(
  session: Session,
  client: AdminClient,
  options: ImportOptions,
  file: string,
): Promise<ExitName> {
  const { shell, tell } = session;
  const { api, environment = "", dryRun = false, errors, map = [] } = options;
  const began = shell.now();
  const reading = readingOf(options);
  const input = await openInput(shell, file, options.format);
  const readToken = await tokenReader(client, options, reading);
  const from = await beginning(input, options, reading);
  const own = input.path === undefined ? [STANDARD_INPUT] : filesOf(input.path);
  const report =
    errors === undefined ? reportToPerson() : await reportToFile(resolve(errors), from.rows > 0, own);
  const interruption = new AbortController();
  const heedInterruptions = shell.onInterrupt(() => interruption.abort());
  const unused: string[] = [];
  let isChecked = false;
  let resumable = from.fingerprint === "" ? undefined : input.path;
  const keep = async (state: ImportState) => {
    if (resumable === undefined) return;
    await writeState(resumable, state).catch(() => {
      // An import that could not be resumed is still one that can be repeated.
      resumable = undefined;
    });
  };
  try {
    const end = await runImport(session, client, {
      input,
      format: {
        name: input.name,
        columns: reading.mapped.map(({ column }) => column),
        onColumns(names, ahead) {
          if (!isChecked) checkColumns({ names, ahead, input: input.name }, reading, map);
          isChecked = true;
          unused.push(...columnsWithoutUse(names, reading));
        },
      },
      read: createRowReader({ ...reading, readToken, defaults: defaultsOf(options, began), now: shell.now }),
      request: { api, environment, dryRun, requestId: randomUUID() },
      report,
      from,
      keep,
      signal: interruption.signal,
    });
    const refusals = await report.close();
    if (unused.length > 0) await tell(`Not imported: the columns ${unused.map(columnName).join(", ")}\n`);
    if (end.state.counts.refused > 0) await tell(`${refusals.join("\n")}\n`);
    const isInterrupted = interruption.signal.aborted;
    const isWhole = end.error === undefined && !isInterrupted;
    const isNothingLeft = isWhole || end.state.rows === 0;
    if (resumable !== undefined && isNothingLeft) {
      await removeState(resumable);
      resumable = undefined;
    }
    // Nothing was begun: there is nothing to say of it but what is wrong.
    if (end.error !== undefined && end.state.rows === 0) throw end.error;
    const seconds = (shell.now() - began) / 1000;
    return await tellEnd(session, { ...end, api, environment, dryRun, isInterrupted, resumable, seconds });
  } finally {
    heedInterruptions();
  }
}

async function tokenReader(
  client: AdminClient,
  { api: apiId, environment = "", nativeTokens }: Pick<ImportOptions, "api" | "environment" | "nativeTokens">,
  { hash }: Reading,
): Promise<RowReaderOptions["readToken"]> {
  if (hash !== "plaintext") return hashedTokens(hash, nativeTokens === true);
  const { api } = await client.getApi({ apiId });
  const [only = "", ...others] = api?.environments ?? [];
  return plainTokens({
    apiId,
    environment: environment === "" && others.length === 0 ? only : environment,
    tokenPrefix: api?.tokenPrefix ?? "",
    shapes: api?.importedTokenShapes ?? [],
  });
}

const NOTHING_DONE = { rows: 0, counts: { imported: 0, alreadyThere: 0, refused: 0 } };

/** Does an import that is resumed have to have the option as it was begun with? */
const COUNTS: Readonly<Record<keyof ImportOptions, boolean>> = {
  api: true,
  environment: true,
  format: true,
  from: true,
  hash: true,
  map: true,
  nativeTokens: true,
  owner: true,
  name: true,
  scope: true,
  allowCidr: true,
  rateLimit: true,
  metadata: true,
  expiresIn: true,
  expiresAt: true,
  bindApi: false,
  bindEnvironment: false,
  dryRun: false,
  resume: false,
  errors: false,
};
const COUNTING: ReadonlySet<string> = new Set(
  Object.entries(COUNTS).flatMap(([name, counts]) => (counts ? [name] : [])),
);

/** Where to begin. Without a fingerprint no state is kept. */
async function beginning(input: ImportInput, options: ImportOptions, reading: Reading): Promise<ImportState> {
  const { dryRun, resume } = options;
  if (input.path === undefined || dryRun) {
    if (resume) throw usage("--resume goes on with a file: not with standard input, and not with --dry-run");
    return { version: 1, fingerprint: "", ...NOTHING_DONE };
  }
  const counting = Object.entries(options).filter(([name]) => COUNTING.has(name));
  const fingerprint = await fingerprintOf(input.path, [counting.toSorted(), reading]);
  return resume ? readState(input.path, fingerprint) : { version: 1, fingerprint, ...NOTHING_DONE };
}

function defaultsOf(options: ImportOptions, now: number): RowDefaults {
  const until = expiration(options);
  return {
    owner: options.owner ?? "",
    displayName: options.name ?? "",
    scopes: options.scope ?? [],
    allowedCidrs: options.allowCidr ?? [],
    rateLimits: options.rateLimit ?? [],
    metadata: Object.fromEntries(options.metadata ?? []),
    expireTime: until?.case === "ttl" ? timestampFromMs(now + durationMs(until.value)) : until?.value,
  };
}
