import { expect, it } from "vitest";
import { placePerTest } from "../../support/place-per-test.ts";
import { verificationsOf } from "../../support/verifications-of.ts";
import { huntStaleAnswers } from "./harness.ts";

/** More are made on demand: `ZERO_STALE_CHANGES=100000 npm test -- test/e2e/zero-stale`. */
const CHANGES = Number(process.env["ZERO_STALE_CHANGES"] ?? 10_000);
const TIMEOUT = 300_000 + 30 * CHANGES;

const place = placePerTest();

for (const workers of [1, 2]) {
  it(
    `answers no verification as if an acknowledged change had not been made, in ${CHANGES.toLocaleString("en")} changes by 32 callers of ${workers} threads`,
    async () => {
      const server = await place.start({ flags: ["--workers", String(workers)] });
      const result = await huntStaleAnswers({ server, changes: CHANGES, lanes: 32, backgroundLanes: 8 });
      expect(result.changes).toBeGreaterThanOrEqual(CHANGES);
      expect(result.background).toBeGreaterThan(0);
      expect(result).toMatchObject({ stale: 0, staleAllows: 0 });
      expect(await server.stop()).toBe(0);
      const answered = verificationsOf(server);
      expect(answered.size).toBe(workers);
      // 40 connections: if the system dealt them out evenly by chance, all to one of two would be a chance of 2 in 2^40.
      for (const verifications of answered.values()) expect(verifications).toBeGreaterThan(0);
    },
    TIMEOUT,
  );
}

it("would be seen to answer stale if it did: with the freshness check switched off, the same hunt finds it", async () => {
  const entry = "test/e2e/zero-stale/serve-without-freshness-check.ts";
  const server = await place.start({ entry, flags: ["--workers", "2"] });
  const result = await huntStaleAnswers({ server, changes: 500, lanes: 32, backgroundLanes: 8 });
  expect(result.staleAllows).toBeGreaterThan(0);
}, 300_000);
