import { expect, it } from "vitest";
import { createAuthority } from "../../test/support/authority.ts";
import { question } from "../../test/support/question.ts";
import type { UsageBatch } from "../domain/usage.ts";
import { UsageFlush } from "./usage-flush.ts";

async function decision(token: string, authority: Awaited<ReturnType<typeof createAuthority>>) {
  return (await authority.verifier.verifyOne(question({ token }))).decision;
}

function allowed(batches: readonly UsageBatch[]): number {
  return batches.flatMap(({ counts }) => counts).reduce((sum, { count }) => sum + count, 0);
}

it("hands over what was counted when it is time, and the rest when it is closed, each once", async () => {
  const authority = await createAuthority();
  const { token } = await authority.key();
  const batches: UsageBatch[] = [];
  const arrived = Promise.withResolvers<void>();
  const flush = new UsageFlush(5, (batch) => {
    batches.push(batch);
    arrived.resolve();
  });
  for (let count = 0; count < 3; count++) flush.meter.count(await decision(token, authority), "203.0.113.7");
  await arrived.promise;
  expect(allowed(batches)).toBe(3);
  flush.meter.count(await decision(token, authority), "");
  flush.close();
  expect(allowed(batches)).toBe(4);
  expect(batches.flatMap(({ lastUses }) => lastUses).length).toBeGreaterThan(0);
});
