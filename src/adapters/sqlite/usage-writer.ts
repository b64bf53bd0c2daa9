import type { Database } from "better-sqlite3";
import type { UsageBatch, UsageCount } from "../../domain/usage.ts";
import { usageRowNames } from "./usage-rows.ts";

/** Writes usage within a transaction that is open already. Throws what SQLite throws. */
export interface UsageWriter {
  /** Returns how many rows it has written. */
  record(batch: UsageBatch): number;
  /** Deletes counts of hours before this one, at most so many rows; returns how many. */
  forget(before: number, limit: number): number;
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
    forget: (before, limit) => forgetCounts.run(before, limit).changes,
  };
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
