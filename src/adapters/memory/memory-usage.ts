import { firstIdOf, type Key, type KeyId } from "../../domain/key.ts";
import {
  DAY,
  type TokenUse,
  totalsOf,
  type UsageBatch,
  type UsageCount,
  type UsageSubject,
} from "../../domain/usage.ts";
import type { UsageAges, UsageSum } from "../../ports/store.ts";

/** What was counted, without a disk: everything is added up when somebody asks. */
export class MemoryUsage {
  #counts: UsageCount[] = [];
  readonly #lastUses = new Map<string, TokenUse>();

  record({ counts, lastUses }: UsageBatch): void {
    this.#counts.push(...counts);
    for (const use of lastUses) {
      const place = `${use.keyId} ${use.generation}`;
      const known = this.#lastUses.get(place);
      if (known === undefined || use.time > known.time) this.#lastUses.set(place, use);
    }
  }

  tidy({ goneBefore, daysBefore }: UsageAges, limit: number): number {
    const isOld = ({ hour }: UsageCount) => hour < goneBefore || (hour < daysBefore && hour % DAY !== 0);
    const old = new Set(this.#counts.filter(isOld).slice(0, limit));
    this.#counts = this.#counts.flatMap((count) => {
      if (!old.has(count)) return [count];
      return count.hour < goneBefore ? [] : [{ ...count, hour: count.hour - (count.hour % DAY) }];
    });
    return old.size;
  }

  sums(subject: UsageSubject, from: number, until: number, width: number): readonly UsageSum[] {
    const sums = new Map<string, UsageSum>();
    for (const { key, hour, reason, count } of this.#counts) {
      if (hour < from || hour >= until || !isOf(subject, key)) continue;
      const start = hour - (hour % width);
      const place = `${start} ${reason}`;
      sums.set(place, { start, reason, count: count + (sums.get(place)?.count ?? 0) });
    }
    return [...sums.values()].toSorted((a, b) => a.start - b.start || (a.reason < b.reason ? -1 : 1));
  }

  /** Here before this time, and not used since. */
  isUnused({ id }: Pick<Key, "id">, since: number): boolean {
    return id < firstIdOf(since) && this.lastUses([id]).every(({ time }) => time < since);
  }

  lastUses(keyIds: readonly KeyId[]): readonly TokenUse[] {
    return [...this.#lastUses.values()].filter(({ keyId }) => keyIds.includes(keyId));
  }
}

function isOf(subject: UsageSubject, key: UsageCount["key"]): boolean {
  if (subject.kind === "key") return key?.id === subject.keyId;
  return totalsOf(key).some((total) => JSON.stringify(total) === JSON.stringify(subject));
}
