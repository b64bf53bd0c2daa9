import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
} from "../../support/keywarden-process.ts";
import { huntStaleAnswers } from "./harness.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let server: KeywardenProcess | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await server?.stop();
  directory.remove();
});

it("answers no verification as if an acknowledged change had not been made, in 10,000 changes by 32 callers", async () => {
  server = await startKeywarden({ directory: directory.path });
  const result = await huntStaleAnswers({ server, changes: 10_000, lanes: 32, backgroundLanes: 8 });
  expect(result.changes).toBeGreaterThanOrEqual(10_000);
  expect(result.background).toBeGreaterThan(0);
  expect(result).toMatchObject({ stale: 0, staleAllows: 0 });
}, 300_000);

it("would be seen to answer stale if it did: with the freshness check switched off, the same hunt finds it", async () => {
  const entry = "test/e2e/zero-stale/serve-without-freshness-check.ts";
  server = await startKeywarden({ directory: directory.path, entry });
  const result = await huntStaleAnswers({ server, changes: 500, lanes: 32, backgroundLanes: 8 });
  expect(result.staleAllows).toBeGreaterThan(0);
}, 300_000);
