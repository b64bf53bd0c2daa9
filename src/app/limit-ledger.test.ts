import { expect, it } from "vitest";
import type { KeyId } from "../domain/key.ts";
import type { LimitUsage } from "../domain/rate-limit.ts";
import { LimitLedger } from "./limit-ledger.ts";

const id = (number: number) => `key-${number}` as KeyId;
const usage = (idleAt: number): LimitUsage => ({ limits: [], debts: [], time: 0, idleAt });

it("remembers what was charged last", () => {
  const ledger = new LimitLedger();
  ledger.charge(id(1), usage(10), 0);
  ledger.charge(id(1), usage(20), 0);
  expect(ledger.usageOf(id(1))).toEqual(usage(20));
  expect(ledger.usageOf(id(2))).toBeUndefined();
});

it("never forgets a usage that is not idle, and does not grow with those that are", () => {
  const ledger = new LimitLedger();
  for (let number = 0; number < 500; number++) ledger.charge(id(number), usage(1_000_000), 0);
  let greatest = 0;
  for (let number = 500; number < 100_000; number++) {
    ledger.charge(id(number), usage(number + 1), number);
    greatest = Math.max(greatest, ledger.size);
  }
  for (let number = 0; number < 500; number++) expect(ledger.usageOf(id(number))).toEqual(usage(1_000_000));
  expect(greatest).toBeLessThanOrEqual(1024);
});
