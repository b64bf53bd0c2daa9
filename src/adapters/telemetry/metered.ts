import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Failure, Method, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { type Door, isVerdict, type Outcome, outcomeIn, outcomeIndex } from "./outcome.ts";
import { bucketOf, doorIndex, type ThreadCounts } from "./thread-counts.ts";
import { type Watch, WatchedCall } from "./watched-call.ts";

interface MeteredOptions {
  /** Milliseconds of a clock that never steps back. */
  readonly now?: () => number;
}

/**
 * The method, with its calls counted: each verification by its outcome, and each call's time from the arrival of the
 * first of its turn to its reply. One look at the clock when a turn begins, and one for all replies that it makes at once.
 */
export function metered(
  method: UnaryMethod,
  door: Door,
  counts: ThreadCounts,
  options?: MeteredOptions,
): UnaryMethod;
export function metered(method: Method, door: Door, counts: ThreadCounts, options?: MeteredOptions): Method;
export function metered(
  method: Method,
  door: Door,
  counts: ThreadCounts,
  { now = monotonic }: MeteredOptions = {},
): Method {
  if (method.kind !== "unary") return method;
  const { request, handle } = method;
  const arrivals = new Arrivals(now);
  const parts = { door: doorIndex(door), counts, now };
  const watched: UnaryMethod = {
    ...method,
    request: {
      decode(bytes, start, end) {
        arrivals.arrived();
        return request.decode(bytes, start, end);
      },
    },
    handle(calls) {
      const turn = new Turn(arrivals.take(), parts);
      const inTurn = calls.map((call) => new WatchedCall(call, turn));
      try {
        handle.call(method, inTurn);
      } catch (error) {
        failAll(inTurn);
        throw error;
      } finally {
        turn.settle();
      }
    },
  };
  return watched;
}

/** As the carrier fails the calls of a handler that throws; what was answered before stays answered. */
function failAll(calls: readonly UnaryCall<unknown, unknown>[]): void {
  for (const call of calls) call.fail({ status: "INTERNAL", reason: "INTERNAL", message: "internal error" });
}

/**
 * When the first message of a turn was read. A message may never become a call, as its client can cancel it before;
 * so what a turn has noted is thrown away by the next one.
 */
class Arrivals {
  readonly #now: () => number;
  #first = Number.NaN;
  #ofTurn = Number.NaN;
  readonly #close = (): void => {
    this.#ofTurn = this.#first;
    this.#first = Number.NaN;
  };

  constructor(now: () => number) {
    this.#now = now;
  }

  arrived(): void {
    if (!Number.isNaN(this.#first)) return;
    this.#first = this.#now();
    // Runs right before the handler does: the carrier asks for that when the first call is complete.
    setImmediate(this.#close);
  }

  /** Milliseconds; now, where no message came in this turn. */
  take(): number {
    const arrival = this.#ofTurn;
    this.#ofTurn = Number.NaN;
    return Number.isNaN(arrival) ? this.#now() : arrival;
  }
}

interface TurnParts extends Required<MeteredOptions> {
  readonly door: number;
  readonly counts: ThreadCounts;
}

/** The calls of one turn, which arrived together. */
class Turn implements Watch {
  readonly #arrival: number;
  readonly #parts: TurnParts;
  /** Undefined once the handler has returned: what ends later looks at the clock itself. */
  #ended: number[] | undefined = [];

  constructor(arrival: number, parts: TurnParts) {
    this.#arrival = arrival;
    this.#parts = parts;
  }

  replied(response: unknown): void {
    const { door, counts } = this.#parts;
    const outcome = outcomeOf(response);
    if (typeof outcome === "string") {
      this.#count(outcome);
      return;
    }
    for (const one of outcome) counts.verified(door, outcomeIndex(one));
    this.#end(outcomeIndex("OK"));
  }

  failed({ status }: Failure): void {
    this.#count(status);
  }

  settle(): void {
    const ended = this.#ended;
    this.#ended = undefined;
    if (ended === undefined || ended.length === 0) return;
    const { door, counts } = this.#parts;
    const seconds = this.#seconds();
    const bucket = bucketOf(seconds);
    for (const outcome of ended) counts.took(door, outcome, seconds, bucket);
  }

  /** A call that is one verification. */
  #count(outcome: Outcome): void {
    const index = outcomeIndex(outcome);
    this.#parts.counts.verified(this.#parts.door, index);
    this.#end(index);
  }

  #end(outcome: number): void {
    if (this.#ended !== undefined) {
      this.#ended.push(outcome);
      return;
    }
    const seconds = this.#seconds();
    this.#parts.counts.took(this.#parts.door, outcome, seconds, bucketOf(seconds));
  }

  #seconds(): number {
    return (this.#parts.now() - this.#arrival) / 1000;
  }
}

function monotonic(): number {
  return performance.now();
}

/** How a response's verification ended, or each of several. */
function outcomeOf(response: unknown): Outcome | readonly Outcome[] {
  return Array.isArray(response) ? response.map(outcomeOfOne) : outcomeOfOne(response);
}

function outcomeOfOne(response: unknown): Outcome {
  const outcome = outcomeIn(response);
  if (isVerdict(outcome)) return outcome.decision.reason;
  return outcome instanceof KeywardenError ? outcome.status : "OK";
}
