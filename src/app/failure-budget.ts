import { parseIp } from "../domain/client-ip.ts";
import { assessRateLimits, type LimitUsage, type RateLimit } from "../domain/rate-limit.ts";
import type { LimitLedger } from "./limit-ledger.ts";
import type { LedgerId } from "./limit-ledger-shard.ts";

const MINUTE = 60_000;

/** Where guesses come from: an IPv4 address, or the /64 of an IPv6 one, as one customer of a provider has that many. */
export interface Source {
  readonly id: LedgerId;
  /** The same for the same source. */
  readonly name: string;
}

export interface Standing {
  /** Unknown tokens that the source may present at once; Infinity: as many as it likes. */
  readonly left: number;
  /** Whole seconds until there is one, at least 1 if there is none. */
  readonly retryAfter: number;
}

const UNBOUNDED: Standing = { left: Number.POSITIVE_INFINITY, retryAfter: 0 };

interface FailureBudgetOptions {
  /** One that forgets when it is full: of sources there is no end. */
  readonly ledger: LimitLedger;
  /** Unknown tokens that a source may present; 0: as many as it likes. */
  readonly perMinute: number;
}

/**
 * How many tokens that nobody has issued a source may present before the store is asked nothing for it any more. It is
 * a rate limit like that of a key: spent at once or evenly, it is whole again after a minute.
 */
export class FailureBudget {
  readonly #ledger: LimitLedger;
  readonly #limits: readonly RateLimit[];

  constructor({ ledger, perMinute }: FailureBudgetOptions) {
    this.#ledger = ledger;
    this.#limits = perMinute === 0 ? [] : [{ name: "failures", quota: perMinute, window: MINUTE }];
  }

  get isOff(): boolean {
    return this.#limits.length === 0;
  }

  /** How the source stands. One that can't be told has no budget. */
  standing(source: Source | undefined, now: number): Standing {
    if (source === undefined || this.isOff) return UNBOUNDED;
    return this.#use(source, now, (usage) => {
      const left = assessRateLimits(this.#limits, usage, 0, now).status?.remaining ?? 0;
      const { retryAfter } = assessRateLimits(this.#limits, usage, 1, now);
      return { left, retryAfter, charged: undefined };
    });
  }

  /** Charges one unknown token; nothing, if none is left. */
  charge(source: Source | undefined, now: number): void {
    if (source === undefined || this.isOff) return;
    this.#use(source, now, (usage) => assessRateLimits(this.#limits, usage, 1, now));
  }

  #use<Outcome extends { readonly charged: LimitUsage | undefined }>(
    source: Source,
    now: number,
    decide: (usage: LimitUsage | undefined) => Outcome,
  ): Outcome {
    return this.#ledger.use(source.id, this.#limits, now, decide);
  }
}

/** Of the client, if its address can be read, else of the peer. Undefined: it can't be told. */
export function sourceOf(clientIp: string, peer: string): Source | undefined {
  const ip = parseIp(clientIp) ?? parseIp(withoutZone(peer));
  if (ip === undefined) return undefined;
  const id: LedgerId = ip.family === 4 ? ip.words : [ip.words[0], ip.words[1], 0, 0];
  return { id, name: id.join(" ") };
}

/** A link-local peer is `fe80::1%eth0`. */
function withoutZone(peer: string): string {
  const zone = peer.indexOf("%");
  return zone < 0 ? peer : peer.slice(0, zone);
}
