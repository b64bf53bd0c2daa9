import type { Database } from "better-sqlite3";
import { DAY, type UsageBatch, type UsageCount } from "../../domain/usage.ts";
import type { UsageAges } from "../../ports/store.ts";
import { usageRowNames } from "./usage-rows.ts";

/** Writes usage within a transaction that is open already. Throws what SQLite throws. */
export interface UsageWriter {
  /** Returns how many rows it has written. */
  record(batch: UsageBatch): number;
  /** Deletes counts, or adds those of hours to those of days, at most so many rows; returns how many. */
  tidy(ages: UsageAges, limit: number): number;
}

export function createUsageWriter(db: Database): UsageWriter {
  const addCount = db.prepare<[string, number, string, number]>(
    `INSERT INTO usage (key_id, hour, reason, count) VALUES (?, ?, ?, ?)
    ON CONFLICT (key_id, hour, reason) DO UPDATE SET count = count + excluded.count`,
  );
  const noteUse = db.prepare<[string, number, number, string]>(
    `INSERT INTO last_uses (key_id, generation, time, client_ip) VALUES (?, ?, ?, ?)
    ON CONFLICT (key_id, generation) DO UPDATE SET time = excluded.time, client_ip = excluded.client_ip
    WHERE excluded.time > time`,
  );
  // Nobody asks for tokens before the previous one.
  const forgetUses = db.prepare<[string, number]>(
    "DELETE FROM last_uses WHERE key_id = ? AND generation < ?",
  );
  const forgetCounts = db.prepare<[number, number]>(
    `DELETE FROM usage WHERE (key_id, hour, reason) IN
      (SELECT key_id, hour, reason FROM usage INDEXED BY usage_by_hour WHERE hour < ? LIMIT ?)`,
  );
  // What was added up is at the first hour of its day, and so in none of these ranges: nobody reads it again.
  const hoursOfDays = db.prepare<[{ before: number; limit: number }], HourRow>(
    `WITH RECURSIVE days (start) AS (
      SELECT min(hour) - min(hour) % ${DAY} FROM usage
      UNION ALL SELECT start + ${DAY} FROM days WHERE start + ${DAY} < @before)
    SELECT u.* FROM days CROSS JOIN usage AS u INDEXED BY usage_by_hour
      ON u.hour > days.start AND u.hour < min(days.start + ${DAY}, @before) LIMIT @limit`,
  );
  const forgetCount = db.prepare<[string, number, string]>(
    "DELETE FROM usage WHERE key_id = ? AND hour = ? AND reason = ?",
  );
  const addToDays = (before: number, limit: number) => {
    const rows = hoursOfDays.all({ before, limit });
    for (const { key_id, hour, reason, count } of rows) {
      addCount.run(key_id, hour - (hour % DAY), reason, count);
      forgetCount.run(key_id, hour, reason);
    }
    return rows.length;
  };

  return {
    record({ counts, lastUses }) {
      const sums = sumsOf(counts);
      for (const { name, hour, reason, count } of sums) addCount.run(name, hour, reason, count);
      for (const { keyId, generation, time, clientIp } of lastUses) {
        noteUse.run(keyId, generation, time, clientIp);
        forgetUses.run(keyId, generation - 1);
      }
      return sums.length + lastUses.length;
    },
    tidy({ goneBefore, daysBefore }, limit) {
      const gone = forgetCounts.run(goneBefore, limit).changes;
      return gone === limit ? gone : gone + addToDays(daysBefore, limit - gone);
    },
  };
}

interface HourRow {
  readonly key_id: string;
  readonly hour: number;
  readonly reason: string;
  readonly count: number;
}

interface Sum extends Omit<UsageCount, "key"> {
  readonly name: string;
}

/** Of each row that the counts are added to, what is added in all. */
function sumsOf(counts: readonly UsageCount[]): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { key, hour, reason, count } of counts) {
    for (const name of usageRowNames(key)) {
      const place = `${name} ${hour} ${reason}`;
      sums.set(place, { name, hour, reason, count: count + (sums.get(place)?.count ?? 0) });
    }
  }
  return [...sums.values()];
}
