/** A limit on what one key may spend. */
export interface RateLimit {
  readonly name: string;
  /** Units within the window, 1 to 1,000,000. */
  readonly quota: number;
  /** Milliseconds in which a spent quota is whole again, 1,000 to 31 days. */
  readonly window: number;
}

/** What a key has spent of its limits, as of an instant. */
export interface LimitUsage {
  /** The limits that it was spent of. */
  readonly limits: readonly RateLimit[];
  /** One for each limit; see `assessRateLimits`. */
  readonly debts: readonly number[];
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** When all limits are whole again: from then on, this usage and none are the same. */
  readonly idleAt: number;
}

/** Where a key stands with one limit. */
export interface RateLimitStatus {
  readonly limit: RateLimit;
  /** Units that may still be spent at once. */
  readonly remaining: number;
  /**
   * Milliseconds. Allowed: until the quota is whole. Denied: until the cost fits, or if it exceeds the quota, until
   * the quota is whole.
   */
  readonly resetAfter: number;
}

export interface LimitAssessment {
  readonly allowed: boolean;
  /** Of the limit that binds most: denied, the longest to wait for; allowed, the fullest. Undefined without limits. */
  readonly status: RateLimitStatus | undefined;
  /** Whole seconds, at least 1; 0 if allowed. */
  readonly retryAfter: number;
  /** The usage with the cost in it; undefined if there is nothing to be charged: denied, free, or without limits. */
  readonly charged: LimitUsage | undefined;
}

/** The greatest quota. With MAX_WINDOW it keeps every sum below 2^53, so that numbers are exact. */
export const MAX_QUOTA = 1_000_000;
export const MIN_WINDOW = 1_000;
export const MAX_WINDOW = 31 * 24 * 3_600_000;

/**
 * Would these limits let a cost through now, all of them? `cost` is a whole number of units, else RangeError; `now` is
 * whole milliseconds since the epoch.
 *
 * This is GCRA (ITU-T I.371) in integers. A unit spent adds `window` to a limit's debt, each millisecond takes `quota`
 * away, and a debt never exceeds `quota * window`: so a spent quota refills evenly over the window. A clock that goes
 * back takes nothing away.
 *
 * Usage outlives a change of the key's limits. Limits are matched by name; the units spent of one stay spent, up to its
 * new quota (a changed window rounds them up to a whole one); a limit of a new name starts whole.
 */
export function assessRateLimits(
  limits: readonly RateLimit[],
  usage: LimitUsage | undefined,
  cost: number,
  now: number,
): LimitAssessment {
  if (!Number.isSafeInteger(cost) || cost < 0) throw new RangeError(`a cost is a whole number, not ${cost}`);
  const time = usage === undefined ? now : Math.max(now, usage.time);
  const debts = limits.map((limit, index) => debtOf(limit, index, limits, usage, time));
  return deny(limits, debts, cost, time, now) ?? allow(limits, debts, cost, time, now);
}

function deny(
  limits: readonly RateLimit[],
  debts: readonly number[],
  cost: number,
  time: number,
  now: number,
): LimitAssessment | undefined {
  let longest = 0;
  let status: RateLimitStatus | undefined;
  for (const [index, limit] of limits.entries()) {
    const debt = debts[index] ?? 0;
    const wait = timeUntilItFits(limit, debt, cost);
    if (wait <= longest) continue;
    longest = wait;
    status = statusOf(limit, debt, time - now + (wait === Infinity ? timeUntilWhole(limit, debt) : wait));
  }
  if (status === undefined) return undefined;
  const retryAfter = Math.max(1, Math.ceil(status.resetAfter / 1000));
  return { allowed: false, status, retryAfter, charged: undefined };
}

function allow(
  limits: readonly RateLimit[],
  before: readonly number[],
  cost: number,
  time: number,
  now: number,
): LimitAssessment {
  const debts = limits.map((limit, index) => (before[index] ?? 0) + cost * limit.window);
  let fullest = -1;
  let idleAfter = 0;
  let status: RateLimitStatus | undefined;
  for (const [index, limit] of limits.entries()) {
    const debt = debts[index] ?? 0;
    const whole = timeUntilWhole(limit, debt);
    if (whole > idleAfter) idleAfter = whole;
    const share = debt / (limit.quota * limit.window);
    if (share <= fullest) continue;
    fullest = share;
    status = statusOf(limit, debt, time - now + whole);
  }
  const isFree = cost === 0 || limits.length === 0;
  const charged = isFree ? undefined : { limits, debts, time, idleAt: time + idleAfter };
  return { allowed: true, status, retryAfter: 0, charged };
}

function statusOf(limit: RateLimit, debt: number, resetAfter: number): RateLimitStatus {
  return { limit, remaining: Math.floor((limit.quota * limit.window - debt) / limit.window), resetAfter };
}

/** Milliseconds; 0 if it fits now, Infinity if it never does. */
function timeUntilItFits({ quota, window }: RateLimit, debt: number, cost: number): number {
  if (cost > quota) return Infinity;
  return Math.max(0, Math.ceil((debt + cost * window - quota * window) / quota));
}

function timeUntilWhole({ quota }: RateLimit, debt: number): number {
  return Math.ceil(debt / quota);
}

function debtOf(
  limit: RateLimit,
  index: number,
  limits: readonly RateLimit[],
  usage: LimitUsage | undefined,
  time: number,
): number {
  if (usage === undefined) return 0;
  const same = usage.limits === limits ? index : usage.limits.findIndex(({ name }) => name === limit.name);
  const before = usage.limits[same];
  const debt = usage.debts[same];
  if (before === undefined || debt === undefined) return 0;
  const elapsed = time - usage.time;
  // Exact where it matters: an elapsed time whose product is beyond 2^53 is beyond any debt.
  const left = Math.max(0, debt - elapsed * before.quota);
  const carried = before.window === limit.window ? left : Math.ceil(left / before.window) * limit.window;
  return Math.min(carried, limit.quota * limit.window);
}
