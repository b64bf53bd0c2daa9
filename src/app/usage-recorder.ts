import { formatIp, parseIp } from "../domain/client-ip.ts";
import { DAY, hourOf, type TokenUse, type UsageBatch, type UsageCount } from "../domain/usage.ts";
import type { UsageWrites } from "../ports/store.ts";

/** Rows written in one transaction: changes wait for no more than that. */
const MOST_ROWS = 500;

/** Hours for which counts are kept by the hour; after that, by the day. */
const HOURS_KEPT = 31 * DAY;

/** Rows that wait at most while the store can't be written, about 250 bytes each. */
const MOST_WAITING = 200_000;

interface UsageRecorderOptions {
  readonly store: UsageWrites;
  /** Milliseconds after which a write that failed is tried again. */
  readonly interval: number;
  /** Milliseconds for which counts are kept, and then to the day's end. */
  readonly retention: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told how each attempt to write what waits has ended. */
  readonly onFlush?: (outcome: "ok" | "failed") => void;
  /** Told when the store can't be written any more. What was counted waits, and is tried again. */
  readonly onProblem: (error: unknown) => void;
  /** Told, once, when more waits than may: counts are lost until the store can be written again. */
  readonly onLoss: () => void;
  readonly mostWaiting?: number;
}

type Waiting<Row> = { -readonly [Field in keyof Row]: Row[Field] };

/** Writes what all threads have counted to the store, in small pieces. What could not be written waits, and is tried again. */
export class UsageRecorder {
  readonly #options: UsageRecorderOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #counts = new Map<string, Waiting<UsageCount>>();
  readonly #uses = new Map<string, TokenUse>();
  #writing: Promise<void> | undefined;
  /** Writing has failed, and is tried again when it is time. */
  #isFailing = false;
  /** The last attempt has failed, and that was told. */
  #hasProblem = false;
  #isLosing = false;
  #isClosed = false;
  /** The first hour of the day when old counts were last tidied up. */
  #tidied = Number.NEGATIVE_INFINITY;

  constructor(options: UsageRecorderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#isFailing = false;
      this.#write();
    }, options.interval);
    this.#timer.unref();
  }

  /** Takes what was counted. It is written soon, unless the store could not be written last: then when it is time. */
  add({ counts, lastUses }: UsageBatch): void {
    for (const count of counts) this.#addCount(count);
    for (const use of lastUses) {
      const ip = parseIp(use.clientIp);
      this.#addUse({ ...use, clientIp: ip === undefined ? "" : formatIp(ip) });
    }
    if (!this.#isFailing) this.#write();
  }

  /** Writes what is left, as far as it can be written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    await this.#writing;
    this.#isFailing = false;
    await this.#write();
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    let piece: UsageBatch | undefined;
    try {
      for (;;) {
        piece = this.#take();
        if (piece === undefined) {
          if (!(await this.#tidySome())) return;
          continue;
        }
        await this.#options.store.recordUsage(piece);
        this.#hasProblem = false;
        this.#isLosing = false;
        if (this.#waiting === 0) this.#options.onFlush?.("ok");
      }
    } catch (error) {
      this.#putBack(piece);
      this.#isFailing = true;
      if (!this.#hasProblem) this.#options.onProblem(error);
      this.#hasProblem = true;
    }
  }

  #putBack(piece: UsageBatch | undefined): void {
    if (piece === undefined) return;
    for (const count of piece.counts) this.#addCount(count);
    for (const use of piece.lastUses) this.#addUse(use);
    this.#options.onFlush?.("failed");
  }

  /** Tidies up some old counts, once a day until there are none. False: there is nothing to do. */
  async #tidySome(): Promise<boolean> {
    const { store, now, retention } = this.#options;
    const today = dayOf(now());
    if (this.#tidied >= today || this.#isClosed) return false;
    const ages = { goneBefore: dayOf(now() - retention), daysBefore: today - HOURS_KEPT };
    if ((await store.tidyUsage(ages, MOST_ROWS)) < MOST_ROWS) this.#tidied = today;
    return true;
  }

  get #waiting(): number {
    return this.#counts.size + this.#uses.size;
  }

  #take(): UsageBatch | undefined {
    if (this.#waiting === 0) return undefined;
    const counts = takeFrom(this.#counts, MOST_ROWS);
    return { counts, lastUses: takeFrom(this.#uses, MOST_ROWS - counts.length) };
  }

  #addCount(count: UsageCount): void {
    const name = `${count.key?.id ?? ""} ${count.hour} ${count.reason}`;
    const known = this.#counts.get(name);
    if (known !== undefined) known.count += count.count;
    else if (this.#hasRoom()) this.#counts.set(name, { ...count });
  }

  #addUse(use: TokenUse): void {
    const name = `${use.keyId} ${use.generation}`;
    const known = this.#uses.get(name);
    if (known === undefined ? this.#hasRoom() : use.time > known.time) this.#uses.set(name, use);
  }

  #hasRoom(): boolean {
    const { mostWaiting = MOST_WAITING, onLoss } = this.#options;
    if (this.#waiting < mostWaiting) return true;
    if (!this.#isLosing) onLoss();
    this.#isLosing = true;
    return false;
  }
}

/** The first hour of the day (UTC) that has this time. */
function dayOf(time: number): number {
  const hour = hourOf(time);
  return hour - (hour % DAY);
}

/** Takes the oldest rows. */
function takeFrom<Row>(rows: Map<string, Row>, limit: number): readonly Row[] {
  const taken: Row[] = [];
  for (const [name, row] of rows) {
    if (taken.length === limit) break;
    taken.push(row);
    rows.delete(name);
  }
  return taken;
}
