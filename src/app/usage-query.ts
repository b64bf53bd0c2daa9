import type { ApiId, Environment } from "../domain/api.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import type { Reason } from "../domain/reason.ts";
import { DAY, HOUR, type UsageSubject } from "../domain/usage.ts";
import type { UsageSum } from "../ports/store.ts";
import type { AdminParts } from "./admin-parts.ts";
import { boundEnvironment, NO_API, onlyBoundApi, refusePartialSight } from "./delegated.ts";
import type { Page, PageRequest } from "./page-tokens.ts";
import { getApi, getKey } from "./read-records.ts";

/** What is asked for if nothing is said, in milliseconds. */
const DEFAULT_SPAN = 30 * DAY * HOUR;

/** Empty strings stand for what is not said. */
export interface UsageQuestion {
  readonly keyId: string;
  readonly api: string;
  readonly environment: string;
  /** Milliseconds since the epoch. */
  readonly from: number | undefined;
  readonly until: number | undefined;
  /** Hours in a bucket. */
  readonly width: number;
}

type Counted = Omit<UsageSum, "start">;

export interface UsageBucket {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly counts: readonly Counted[];
}

export interface Usage {
  readonly buckets: Page<UsageBucket>;
  /** Of all buckets, also those of other pages. */
  readonly totals: readonly Counted[];
  /** In whole buckets, in milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/**
 * How often verifications ended with which reason, by time: what was written down, of whom the caller may know. A
 * credential that is bound to one API or to an environment is told of that; one that is bound to several APIs has to say
 * which. Throws INVALID_ARGUMENT, NOT_FOUND (KEY_NOT_FOUND, API_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function queryUsage(
  parts: AdminParts,
  question: UsageQuestion,
  request: PageRequest,
): Promise<Usage> {
  const subject = await subjectOf(parts, question);
  const { width } = question;
  const { from, until } = spanOf(parts, question);
  const sums = await parts.store.usage(subject, from, until, width);
  const buckets = bucketsOf(sums);
  const query = ["usage", subject, question.from ?? null, question.until ?? null, width];
  const page = await parts.pageTokens.page(query, request, async (after, limit) =>
    buckets.filter(({ start }) => after === "" || start > Number(after)).slice(0, limit),
  );
  return { buckets: page, totals: totalsIn(sums), from: from * HOUR, until: until * HOUR };
}

async function subjectOf(parts: AdminParts, question: UsageQuestion): Promise<UsageSubject> {
  const { keyId } = question;
  if (keyId !== "") {
    if (question.api !== "" || question.environment !== "") {
      throw invalidArgument([{ field: "key_id", description: "must not be set with api or environment" }]);
    }
    return { kind: "key", keyId: (await getKey(parts, keyId)).id };
  }
  const api = (question.api || onlyBoundApi(parts)) as ApiId | undefined;
  const environment = (question.environment || boundEnvironment(parts)) as Environment | undefined;
  refusePartialSight(parts, api ?? NO_API, environment);
  if (api !== undefined) return { kind: "api", api: (await getApi(parts, api)).id, environment };
  if (environment === undefined) return { kind: "all" };
  throw invalidArgument([{ field: "api", description: "must be set, as environments are those of an API" }]);
}

/** The hours that are asked for, rounded outwards to whole buckets. */
function spanOf({ now }: AdminParts, question: UsageQuestion): { from: number; until: number } {
  const { until = now(), from = until - DEFAULT_SPAN, width } = question;
  if (from >= until) {
    throw invalidArgument([{ field: "from_time", description: "must be before until_time" }]);
  }
  const bucket = width * HOUR;
  return { from: Math.floor(from / bucket) * width, until: Math.ceil(until / bucket) * width };
}

function bucketsOf(sums: readonly UsageSum[]): readonly (UsageBucket & { readonly id: string })[] {
  const starts = Map.groupBy(sums, ({ start }) => start * HOUR);
  return [...starts].map(([start, counts]) => ({ id: String(start), start, counts }));
}

function totalsIn(sums: readonly UsageSum[]): readonly Counted[] {
  const totals = new Map<Reason, number>();
  for (const { reason, count } of sums) totals.set(reason, count + (totals.get(reason) ?? 0));
  return [...totals].map(([reason, count]) => ({ reason, count }));
}
