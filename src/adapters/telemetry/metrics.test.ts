import { expect, it } from "vitest";
import { METRICS, type MetricRow } from "./metric-table.ts";
import { Metrics } from "./metrics.ts";
import { outcomeIndex } from "./outcome.ts";
import { bucketOf, doorIndex, ThreadCounts } from "./thread-counts.ts";

/** The series that begin so. */
async function series(metrics: Metrics, start: string): Promise<readonly string[]> {
  const { text } = await metrics.exposition();
  return text.split("\n").filter((line) => line.startsWith(start));
}

it("every metric of the table is told, and no other", async () => {
  const { text } = await new Metrics({ version: "1.2.3" }).exposition();
  const told = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]);
  const rows: Readonly<Record<string, MetricRow>> = METRICS;
  const inTable = Object.entries(rows).map(([name, { type }]) => [name, type]);
  expect(told.toSorted()).toEqual(inTable.toSorted());
});

it("what the threads count is added up", async () => {
  const metrics = new Metrics({ version: "1.2.3" });
  for (const worker of [1, 2]) {
    const counts = new ThreadCounts(metrics.threadMemory(worker));
    counts.add("cacheHits", worker);
    counts.verified(doorIndex("grpc"), outcomeIndex("ALLOWED"));
    counts.took(doorIndex("grpc"), outcomeIndex("ALLOWED"), 0.000_2 * worker, bucketOf(0.000_2 * worker));
  }
  expect(await series(metrics, "keywarden_cache_lookups_total")).toContain(
    'keywarden_cache_lookups_total{result="hit"} 3',
  );
  expect(await series(metrics, "keywarden_verifications_total")).toEqual([
    'keywarden_verifications_total{door="grpc",reason="ALLOWED"} 2',
  ]);
  const durations = await series(metrics, "keywarden_verification_duration_seconds");
  const labels = 'door="grpc",reason="ALLOWED"';
  const bucket = (le: string) => durations.find((line) => line.includes(`_bucket{${labels},le="${le}"}`));
  expect(bucket("0.0001")).toMatch(/ 0$/);
  expect(bucket("0.00025")).toMatch(/ 1$/);
  expect(bucket("0.0005")).toMatch(/ 2$/);
  expect(bucket("+Inf")).toMatch(/ 2$/);
  expect(durations.at(-1)).toBe(`keywarden_verification_duration_seconds_count{${labels}} 2`);
  expect(Number(durations.at(-2)?.split(" ")[1])).toBeCloseTo(0.000_6);
});

it("a thread that takes another's place goes on with its counts", async () => {
  const metrics = new Metrics({ version: "1.2.3" });
  new ThreadCounts(metrics.threadMemory(1)).add("brokenKeys");
  new ThreadCounts(metrics.threadMemory(1)).add("brokenKeys");
  metrics.workerRestarted();
  expect(await series(metrics, 'keywarden_seal_failures_total{record="key"}')).toEqual([
    'keywarden_seal_failures_total{record="key"} 2',
  ]);
  expect(await series(metrics, "keywarden_worker")).toEqual([
    "keywarden_workers 1",
    "keywarden_worker_restarts_total 1",
  ]);
});

it("a gauge is told of each thread that has set it, and of no other", async () => {
  const metrics = new Metrics({ version: "1.2.3" });
  metrics.threadMemory(1);
  new ThreadCounts(metrics.threadMemory(2)).set("knownTokens", 7);
  metrics.main.set("knownTokens", 0);
  expect(await series(metrics, "keywarden_cache_entries")).toEqual([
    'keywarden_cache_entries{cache="known",thread="main"} 0',
    'keywarden_cache_entries{cache="known",thread="2"} 7',
  ]);
});

it("reading twice counts nothing twice", async () => {
  const metrics = new Metrics({ version: "1.2.3" });
  metrics.main.add("tlsLoaded");
  const first = await series(metrics, "keywarden_tls_reloads_total");
  expect(await series(metrics, "keywarden_tls_reloads_total")).toEqual(first);
});

it.each([
  [0, 0],
  [0.000_05, 0],
  [0.000_051, 1],
  [1, 12],
  [1.1, 13],
])("a call of %d s is in bucket %d", (seconds, bucket) => {
  expect(bucketOf(seconds)).toBe(bucket);
});
