import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { createLogger } from "../adapters/telemetry/logger.ts";
import { Metrics } from "../adapters/telemetry/metrics.ts";
import type { LimitLedger } from "../app/limit-ledger.ts";
import { createLedgerMemory } from "../app/limit-ledger-memory.ts";
import { assessRateLimits } from "../domain/rate-limit.ts";
import { createLedgerMemories, openLedgers } from "./ledgers.ts";

const MIB = 1024 * 1024;

function charge(ledger: LimitLedger, number: number): void {
  const limits = [{ name: "default", quota: 5, window: 60_000 }];
  ledger.use([7, 0, 0, number], limits, 0, (usage) => assessRateLimits(limits, usage, 1, 0));
}

it("the memory that rate limits take is what the documentation says", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const { limits, failures } = createLedgerMemories();
  const size = ({ buffer, entries, shards }: typeof limits) => ({
    each: Math.round(buffer.byteLength / (entries * shards)),
    most: buffer.byteLength / MIB,
  });
  expect(page).toContain(`${size(limits).each} bytes each and ${Math.ceil(size(limits).most)} MiB at most`);
  const sources = (failures.entries * failures.shards).toLocaleString("en");
  expect(page).toContain(`${sources} sources are remembered, in ${size(failures).most.toFixed(1)} MiB`);
});

it("how full it is can be seen from outside", async () => {
  const memories = createLedgerMemories();
  const metrics = new Metrics({ version: "1.2.3", ledgers: { ...memories } });
  const log = createLogger({ level: "silent", format: "json", destination: { write: () => {} } });
  const { limits, failures } = openLedgers(memories, 1, log);
  for (let key = 0; key < 3; key++) charge(limits, key);
  charge(failures, 1);
  const { text } = await metrics.exposition();
  expect(text.split("\n").filter((line) => line.startsWith("keywarden_limit_entries"))).toEqual([
    'keywarden_limit_entries{ledger="limits"} 3',
    'keywarden_limit_entries{ledger="failures"} 1',
    'keywarden_limit_entries_capacity{ledger="limits"} 1048576',
    'keywarden_limit_entries_capacity{ledger="failures"} 65536',
  ]);
});

it("that there is no room for further keys is logged, and not once for each call", () => {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    format: "json",
    destination: { write: (line) => lines.push(line) },
  });
  const memories = {
    limits: createLedgerMemory({ entries: 4, limits: 8, shards: 1 }),
    failures: createLedgerMemory({ entries: 4, limits: 1, shards: 1 }),
  };
  const { limits, failures } = openLedgers(memories, 1, log);
  for (let key = 0; key < 4; key++) charge(limits, key);
  for (let source = 0; source < 100; source++) charge(failures, source);
  expect(lines).toEqual([]);
  for (let key = 4; key < 50; key++) expect(() => charge(limits, key)).toThrow("what 4 keys have spent");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 50, reason: "LIMITS_FULL" }]);
});
