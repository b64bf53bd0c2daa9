import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import {
  QueryUsageRequest_Granularity as Granularity,
  type QueryUsageResponse,
  QueryUsageResponseSchema,
} from "../gen/keywarden/v1/usage_pb.ts";
import { parseDuration } from "../settings/duration.ts";
import { type AdminClient, callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage as usageFailure } from "./failure.ts";
import { asChoice, asInstant } from "./option-values.ts";
import { usageTable } from "./usage-text.ts";

interface UsageOptions {
  readonly key?: string;
  readonly api?: string;
  readonly environment?: string;
  readonly by: "hour" | "day";
  readonly since?: Moment;
  readonly until?: Moment;
}

/** A time, or so many milliseconds ago. */
type Moment = Timestamp | number;

/** The most that a page holds. */
const PAGE_SIZE = 1_000;

/** `keywarden usage`. */
export function addUsageCommand(program: Command, registration: Registration): void {
  const command = program
    .command("usage")
    .summary("say how often keys were used, and with which outcome")
    .description(
      "Says how often keys were verified, with which outcome and when: all of them, an API's, or one. Times are UTC. " +
        "What the server has counted in the last seconds (its --usage-flush) is not in it yet.",
    )
    .option("--key <id>", "of this key")
    .option("--api <id>", "of the keys of this API")
    .option("--environment <name>", "of the API's keys of this environment");
  command
    .option("--by <unit>", "a line for each hour or day", asChoice(["hour", "day"]), "day")
    .option("--since <when>", "from this time on, or for so long: 90d; 30 days without it", asMoment)
    .option("--until <when>", "before this time, or until so long ago; now without it", asMoment);
  examples(command, [
    ["keywarden usage --api c2p --since 7d", "the last seven days of an API"],
    ["keywarden usage --key 0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60 --by hour --since 24h", "a key's last day"],
  ]);
  clientAction(command, registration, async ({ settings, shell, paint, print, tell }) => {
    const options = command.opts<UsageOptions>();
    const question = questionOf(options, shell.now());
    const response = await callAdmin(settings, (client) => allPages(client, question));
    if (settings.json) await print(responseJson(QueryUsageResponseSchema, response));
    else if (response.buckets.length === 0) await tell("no verifications in this time\n");
    else await print(usageTable(response, options.by, { columns: shell.stdout.columns ?? 100, paint }));
    return "ok";
  });
}

function questionOf({ key = "", api = "", environment = "", by, since, until }: UsageOptions, now: number) {
  if (key !== "" && (api !== "" || environment !== "")) {
    throw usageFailure("--key and --api: give one of them; a key has its API and environment");
  }
  return {
    keyId: key,
    api,
    environment,
    granularity: by === "hour" ? Granularity.HOUR : Granularity.DAY,
    ...(since === undefined ? {} : { fromTime: instantOf(since, now) }),
    ...(until === undefined ? {} : { untilTime: instantOf(until, now) }),
  };
}

/** All buckets as one response. */
async function allPages(
  client: AdminClient,
  question: Parameters<AdminClient["queryUsage"]>[0],
): Promise<QueryUsageResponse> {
  const all = create(QueryUsageResponseSchema);
  let pageToken = "";
  do {
    const page = await client.queryUsage({ ...question, pageSize: PAGE_SIZE, pageToken });
    const buckets = [...all.buckets, ...page.buckets];
    Object.assign(all, page, { buckets });
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

function asMoment(text: string): Moment {
  return parseDuration(text) ?? asInstant(text);
}

function instantOf(moment: Moment, now: number): Timestamp {
  return typeof moment === "number" ? timestampFromMs(now - moment) : moment;
}
