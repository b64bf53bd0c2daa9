import type { Decision } from "../domain/decision.ts";
import type { KeyName } from "../domain/key.ts";
import {
  COUNTED_REASONS,
  countedRecord,
  HOUR,
  hourOf,
  type TokenUse,
  type UsageBatch,
  type UsageCount,
} from "../domain/usage.ts";
import { createTally, type Tally } from "../domain/usage-tally.ts";

/** No address is longer. What is, is not kept: it would be memory that whoever asks could fill. */
const LONGEST_ADDRESS = 45;

const reasonIndexes: ReadonlyMap<string, number> = new Map(
  COUNTED_REASONS.map((reason, index) => [reason, index]),
);

type Counted = Tally<KeyName>;

interface UsageMeterOptions {
  /** Tokens that are counted for at once before what was counted should be taken. */
  readonly size: number;
  /** Told, each time there come to be so many. */
  readonly onFull: () => void;
}

/** Counts what one thread decides, in memory: a few additions for each verification, and nothing that is looked up. */
export class UsageMeter {
  readonly #options: UsageMeterOptions;
  readonly #noKey: Counted = createTally<KeyName>(null, 0);
  /** What was counted for since it was last taken. */
  #listed: Counted[] = [];
  /** Before `#taken`: those that were taken already. */
  #taking: Counted[] = [];
  #taken = 0;
  /** Of hours that were over before somebody came to take it. */
  readonly #over: UsageCount[] = [];
  #hour = 0;
  /** The current hour, in milliseconds since the epoch. */
  #start = 0;
  #end = 0;

  constructor(options: UsageMeterOptions) {
    this.#options = options;
  }

  /** Counts one decision, which was no dry run. `clientIp`: as the caller gave it. */
  count(decision: Decision, clientIp: string): void {
    const { decideTime } = decision;
    if (!(decideTime >= this.#start && decideTime < this.#end)) this.#enterHourOf(decideTime);
    const tally = countedRecord(decision)?.tally ?? this.#noKey;
    if (!tally.isListed) this.#list(tally);
    else if (tally.hour !== this.#hour) this.#endHourOf(tally);
    if (!decision.allowed) {
      const index = reasonIndexes.get(decision.reason) ?? 0;
      tally.denied ??= COUNTED_REASONS.map(() => 0);
      tally.denied[index] = (tally.denied[index] ?? 0) + 1;
      return;
    }
    tally.allowed++;
    if (decideTime < tally.useTime) return;
    tally.useTime = decideTime;
    tally.clientIp = clientIp.length > LONGEST_ADDRESS ? "" : clientIp;
  }

  /** What was counted until now can be taken. */
  close(): void {
    const rest = this.#taking.slice(this.#taken);
    this.#taking = rest.length === 0 ? this.#listed : [...rest, ...this.#listed];
    this.#taken = 0;
    this.#listed = [];
  }

  /** Takes what was counted, until it was closed, for at most so many tokens; undefined: there is no more. */
  take(tokens: number): UsageBatch | undefined {
    const counts = this.#over.splice(0, tokens);
    const lastUses: TokenUse[] = [];
    const tallies = this.#taking.slice(this.#taken, this.#taken + tokens);
    if (tallies.length === 0 && counts.length === 0) {
      this.#taking = [];
      this.#taken = 0;
      return undefined;
    }
    this.#taken += tallies.length;
    for (const tally of tallies) {
      addCounts(counts, tally);
      addUse(lastUses, tally);
      empty(tally);
      tally.isListed = false;
    }
    return { counts, lastUses };
  }

  #list(tally: Counted): void {
    tally.isListed = true;
    tally.hour = this.#hour;
    this.#listed.push(tally);
    if (this.#listed.length === this.#options.size) this.#options.onFull();
  }

  #enterHourOf(time: number): void {
    this.#hour = hourOf(time);
    this.#start = this.#hour * HOUR;
    this.#end = this.#start + HOUR;
  }

  #endHourOf(tally: Counted): void {
    addCounts(this.#over, tally);
    tally.allowed = 0;
    tally.denied = undefined;
    tally.hour = this.#hour;
  }
}

function addCounts(counts: UsageCount[], { owner: key, hour, allowed, denied }: Counted): void {
  if (allowed > 0) counts.push({ key, hour, reason: "ALLOWED", count: allowed });
  if (denied === undefined) return;
  for (const [index, reason] of COUNTED_REASONS.entries()) {
    const count = denied[index] ?? 0;
    if (count > 0) counts.push({ key, hour, reason, count });
  }
}

function addUse(uses: TokenUse[], { owner, generation, useTime: time, clientIp }: Counted): void {
  if (owner !== null && time > 0) uses.push({ keyId: owner.id, generation, time, clientIp });
}

function empty(tally: Counted): void {
  tally.allowed = 0;
  tally.denied = undefined;
  tally.useTime = 0;
  tally.clientIp = "";
}
