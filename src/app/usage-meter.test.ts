import fc from "fast-check";
import { expect, it } from "vitest";
import { testKey, testKeyId } from "../../test/support/records.ts";
import type { Decision } from "../domain/decision.ts";
import { compileKey } from "../domain/key.ts";
import type { Reason } from "../domain/reason.ts";
import { COUNTED_REASONS, HOUR, type UsageBatch } from "../domain/usage.ts";
import { UsageMeter } from "./usage-meter.ts";

/** The current token of each of three keys, and the one before. */
const records = [1, 2, 3].flatMap((number) => {
  const previousToken = { hint: "", expireTime: Number.MAX_SAFE_INTEGER };
  const key = testKey({ id: testKeyId(number), generation: 2, previousToken });
  return [compileKey(key, 2), compileKey(key, 1)];
});

function decisionOf(reason: Reason, record: Decision["record"], decideTime: number): Decision {
  const allowed = reason === "ALLOWED";
  return { allowed, reason, record, decideTime, rateLimit: undefined, retryAfter: 0, charged: undefined };
}

function meterOf(size = 1_000, onFull = () => {}) {
  return new UsageMeter({ size, onFull });
}

function takeAll(meter: UsageMeter, piece = 100): UsageBatch[] {
  meter.close();
  const batches: UsageBatch[] = [];
  for (let batch = meter.take(piece); batch !== undefined; batch = meter.take(piece)) batches.push(batch);
  return batches;
}

/** Adds up what was taken, by key, hour and reason. */
function summed(batches: readonly UsageBatch[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { key, hour, reason, count } of batches.flatMap(({ counts }) => counts)) {
    const name = `${key?.id ?? ""} ${hour} ${reason}`;
    sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** The newest use of each token among what was taken. */
function newestUses(batches: readonly UsageBatch[]): Record<string, string> {
  const uses = batches.flatMap(({ lastUses }) => lastUses).toSorted((a, b) => a.time - b.time);
  return Object.fromEntries(
    uses.map(({ keyId, generation, time, clientIp }) => [`${keyId} ${generation}`, `${time} ${clientIp}`]),
  );
}

/** What is found out after the key was looked at. */
const OF_KEY = new Set<Reason>([
  "ALLOWED",
  "REVOKED",
  "DISABLED",
  "EXPIRED",
  "IP_NOT_ALLOWED",
  "INSUFFICIENT_SCOPE",
  "RATE_LIMITED",
]);

const verification = fc.record({
  kind: fc.constant("verification" as const),
  record: fc.option(fc.constantFrom(...records.keys())),
  reason: fc.constantFrom(...COUNTED_REASONS),
  /** Milliseconds since the verification before. */
  pause: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constant(HOUR)),
  clientIp: fc.constantFrom("", "203.0.113.7", "2001:db8::1"),
});
interface Verified {
  readonly record: number | null;
  readonly reason: Reason;
  readonly pause: number;
  readonly clientIp: string;
}
const taking = fc.record({ kind: fc.constant("taking" as const), piece: fc.integer({ min: 1, max: 3 }) });

/** The plain way to count: what there must be in the end. */
class PlainCount {
  readonly counts: Record<string, number> = {};
  readonly uses: Record<string, string> = {};
  #time = 500_000 * HOUR;

  verify(meter: UsageMeter, { record: index, reason: wanted, pause, clientIp }: Verified): void {
    this.#time += pause;
    const record = index === null ? undefined : records[index];
    // Without a record nothing is found out about a key.
    const reason = record === undefined && OF_KEY.has(wanted) ? "UNKNOWN_TOKEN" : wanted;
    meter.count(decisionOf(reason, record, this.#time), clientIp);
    const keyId = OF_KEY.has(reason) ? record?.key.id : "";
    const name = `${keyId} ${Math.floor(this.#time / HOUR)} ${reason}`;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    if (reason === "ALLOWED") this.uses[`${keyId} ${2 - ((index ?? 0) % 2)}`] = `${this.#time} ${clientIp}`;
  }
}

it("what is taken adds up to what was counted, whenever it is taken, and has the newest use of each token", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ arbitrary: verification, weight: 5 }, taking)), (steps) => {
      const meter = meterOf();
      const batches: UsageBatch[] = [];
      const plain = new PlainCount();
      for (const step of steps) {
        if (step.kind === "verification") {
          plain.verify(meter, step);
          continue;
        }
        // Sometimes not all of it: the rest comes later.
        meter.close();
        batches.push(...[meter.take(step.piece)].filter((batch) => batch !== undefined));
      }
      batches.push(...takeAll(meter));
      expect(summed(batches)).toEqual(plain.counts);
      expect(newestUses(batches)).toEqual(plain.uses);
      expect(takeAll(meter)).toEqual([]);
    }),
  );
});

it("says once that it is full, and goes on counting", () => {
  let full = 0;
  const meter = meterOf(3, () => full++);
  const fresh = Array.from({ length: 6 }, (_, number) => compileKey(testKey({ id: testKeyId(number) }), 1));
  for (const record of fresh) meter.count(decisionOf("ALLOWED", record, HOUR), "");
  expect(full).toBe(1);
  expect(takeAll(meter).flatMap(({ counts }) => counts)).toHaveLength(6);
});

it("hands over no more tokens at once than it is asked for", () => {
  const meter = meterOf();
  for (const record of records) meter.count(decisionOf("ALLOWED", record, HOUR), "");
  expect(takeAll(meter, 2).map(({ lastUses }) => lastUses.length)).toEqual([2, 2, 2]);
});

it("ends taking although verifications go on in between", () => {
  const meter = meterOf();
  const [record] = records;
  meter.count(decisionOf("ALLOWED", record, HOUR), "");
  meter.close();
  expect(meter.take(1)?.counts).toHaveLength(1);
  meter.count(decisionOf("ALLOWED", record, HOUR), "");
  expect(meter.take(1)).toBeUndefined();
  expect(takeAll(meter).flatMap(({ counts }) => counts)).toMatchObject([{ count: 1 }]);
});

it("keeps no address that is longer than an address can be", () => {
  const meter = meterOf();
  meter.count(decisionOf("ALLOWED", records[0], HOUR), "9".repeat(5_000));
  expect(takeAll(meter)[0]?.lastUses).toMatchObject([{ clientIp: "" }]);
});

it("keeps the newest use where the clock is set back", () => {
  const meter = meterOf();
  meter.count(decisionOf("ALLOWED", records[0], 2 * HOUR), "203.0.113.7");
  meter.count(decisionOf("ALLOWED", records[0], 2 * HOUR - 1), "203.0.113.8");
  const batches = takeAll(meter);
  expect(newestUses(batches)).toEqual({ [`${testKeyId(1)} 2`]: `${2 * HOUR} 203.0.113.7` });
  expect(Object.values(summed(batches))).toEqual([1, 1]);
});
