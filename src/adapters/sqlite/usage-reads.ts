import type { Database } from "better-sqlite3";
import type { KeyId } from "../../domain/key.ts";
import { isReason } from "../../domain/usage.ts";
import type { UsageReads } from "../../ports/store.ts";
import { asked } from "./reading.ts";
import { usageRowName } from "./usage-rows.ts";

interface SumRow {
  readonly start: number;
  readonly reason: string;
  readonly count: number;
}

interface UseRow {
  readonly key_id: string;
  readonly generation: number;
  readonly time: number;
  readonly client_ip: string;
}

interface Range {
  readonly name: string;
  readonly from: number;
  readonly until: number;
  readonly width: number;
}

/** What was counted, on a reader's connection: each answer is one range of one index. */
export function createUsageReads(db: Database): UsageReads {
  const sumsIn = db.prepare<[Range], SumRow>(
    `SELECT hour - hour % @width AS start, reason, sum(count) AS count FROM usage
    WHERE key_id = @name AND hour >= @from AND hour < @until
    GROUP BY start, reason ORDER BY start, reason`,
  );
  const usesOf = db.prepare<[string], UseRow>(
    `SELECT u.* FROM json_each(?) AS asked
    CROSS JOIN last_uses AS u ON u.key_id = asked.value`,
  );

  return {
    usage: async (subject, from, until, width) =>
      asked(() => {
        const rows = sumsIn.all({ name: usageRowName(subject), from, until, width });
        // A reason that only a newer version knows, or that somebody has made up, is left out.
        return rows.flatMap(({ start, reason, count }) =>
          isReason(reason) ? [{ start, reason, count }] : [],
        );
      }),

    lastUses: async (keyIds) =>
      asked(() =>
        usesOf.all(JSON.stringify([...new Set(keyIds)])).map((row) => ({
          keyId: row.key_id as KeyId,
          generation: row.generation,
          time: row.time,
          clientIp: row.client_ip,
        })),
      ),
  };
}
