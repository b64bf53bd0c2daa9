import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { KeyUses } from "../../app/usage-last-uses.ts";
import type { Usage, UsageBucket, UsageQuestion } from "../../app/usage-query.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import type { TokenUse } from "../../domain/usage.ts";
import type { LastUseSchema } from "../../gen/keywarden/v1/key_pb.ts";
import {
  QueryUsageRequest_Granularity as Granularity,
  type QueryUsageRequest,
  type QueryUsageResponseSchema,
  type UsageCountSchema,
} from "../../gen/keywarden/v1/usage_pb.ts";
import { Reason as ReasonNumber } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { millisecondsOf } from "./moments.ts";
import { apiIdOf, environmentOf, filterOf, keyIdOf } from "./references.ts";

/** Of google.protobuf.Timestamp, in milliseconds since the epoch: whole buckets may reach beyond. */
const FIRST_TIME = Date.parse("0001-01-01T00:00:00Z");
const LAST_TIME = Date.parse("9999-12-31T23:59:59.999Z");

/** In hours. */
const WIDTHS: ReadonlyMap<Granularity, number> = new Map([
  [Granularity.UNSPECIFIED, 24],
  [Granularity.HOUR, 1],
  [Granularity.DAY, 24],
]);

/** Throws INVALID_ARGUMENT for ids, times and a granularity that are none. */
export function usageQuestionOf(request: QueryUsageRequest): UsageQuestion {
  const { keyId, api, environment, fromTime, untilTime, granularity } = request;
  const width = WIDTHS.get(granularity);
  if (width === undefined) {
    throw invalidArgument([{ field: "granularity", description: "must be HOUR or DAY" }]);
  }
  return {
    keyId: filterOf(keyId, "key_id", keyIdOf) ?? "",
    api: filterOf(api, "api", apiIdOf) ?? "",
    environment: filterOf(environment, "environment", environmentOf) ?? "",
    from: fromTime && millisecondsOf(fromTime, "from_time"),
    until: untilTime && millisecondsOf(untilTime, "until_time"),
    width,
  };
}

export function usageToMessage(usage: Usage): MessageInitShape<typeof QueryUsageResponseSchema> {
  const { buckets, totals, from, until } = usage;
  return {
    buckets: buckets.items.map(({ start, counts }) => ({
      startTime: timestampFromMs(start),
      counts: counts.map(countToMessage),
    })),
    totals: totals.map(countToMessage),
    fromTime: timestampFromMs(Math.max(from, FIRST_TIME)),
    untilTime: timestampFromMs(Math.min(until, LAST_TIME)),
    nextPageToken: buckets.nextPageToken,
  };
}

function countToMessage({
  reason,
  count,
}: UsageBucket["counts"][number]): MessageInitShape<typeof UsageCountSchema> {
  return { reason: ReasonNumber[reason], count: BigInt(count) };
}

/** The fields `last_use` of a key and of its previous token; each is left out if there was none. */
export function lastUseFields({ current, previous }: KeyUses) {
  return {
    ofKey: current === undefined ? {} : { lastUse: lastUseToMessage(current) },
    ofPreviousToken: previous === undefined ? {} : { lastUse: lastUseToMessage(previous) },
  };
}

function lastUseToMessage({ time, clientIp }: TokenUse): MessageInitShape<typeof LastUseSchema> {
  return { time: timestampFromMs(time), clientIp };
}
