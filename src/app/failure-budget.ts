import { hash } from "node:crypto";
import type { Brand } from "../domain/brand.ts";
import { parseIp } from "../domain/client-ip.ts";
import { assessRateLimits, type LimitUsage, type RateLimit } from "../domain/rate-limit.ts";
import type { LimitLedger } from "./limit-ledger.ts";
import type { LedgerId } from "./limit-ledger-shard.ts";
import type { VerifyingCaller, VerifyRequest } from "./verification.ts";

const MINUTE = 60_000;

/** Where guesses come from, by whose word: each caller that tells of a client has a budget of its own for it. */
export type Source = Brand<string, "Source">;

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
    return this.#ledger.use(entryOf(source), this.#limits, now, decide);
  }
}

/** Who asks about a token, and for whom. */
export interface Asker {
  readonly request: Pick<VerifyRequest, "clientIp">;
  readonly peer: string;
  readonly caller?: Pick<VerifyingCaller, "id"> | null;
}

/**
 * Of the client, if its address can be read, else of the peer; as the caller tells, who is the peer where nothing else
 * says who calls. Undefined: it can't be told.
 */
export function sourceOf({ request, peer, caller }: Asker): Source | undefined {
  const place = placeOf(peer);
  const client = placeOf(request.clientIp) || place;
  const asker = caller?.id ?? place;
  return asker === "" && client === "" ? undefined : (`${asker} ${client}` as Source);
}

/**
 * An IPv4 address, or the /64 of an IPv6 one, as one customer of a provider has that many; this machine is one place,
 * whichever of its many addresses it shows itself. Empty: the address can't be read.
 */
function placeOf(address: string): string {
  const ip = parseIp(withoutZone(address));
  if (ip === undefined) return "";
  const [first, second, third, last] = ip.words;
  if (ip.family === 4) return last >>> 24 === LOOPBACK ? "loopback" : String(last);
  const isLoopback = first === 0 && second === 0 && third === 0 && last === 1;
  return isLoopback ? "loopback" : `${first}:${second}`;
}

/** The first byte of IPv4's loopback addresses (RFC 6890 section 2.2.2). */
const LOOPBACK = 127;

/** A link-local peer is `fe80::1%eth0`. */
function withoutZone(peer: string): string {
  const zone = peer.indexOf("%");
  return zone < 0 ? peer : peer.slice(0, zone);
}

/** The source's entry in the ledger: 128 bits of its SHA-256. */
function entryOf(source: Source): LedgerId {
  const bytes = hash("sha256", source, "buffer");
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)];
}
