import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateToken } from "../../../src/domain/token.ts";
import type { KeywardenProcess } from "../../support/keywarden-process.ts";
import { placePerTest } from "../../support/place-per-test.ts";
import { COMMAND } from "./dying-on-command.ts";

const place = placePerTest();

/** The nice values of the process's threads, by what the system calls them: at most 15 characters of their names. */
function nicenessByThread({ pid }: KeywardenProcess): ReadonlyMap<string, readonly number[]> {
  const values = new Map<string, number[]>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(join(`/proc/${pid}/task`, thread, "stat"), "utf8");
    const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    // proc_pid_stat(5): nice is field 19, and `rest` begins with field 3.
    values.set(name, [...(values.get(name) ?? []), Number(rest.split(" ")[16])]);
  }
  return values;
}

it("lets the threads that verify go before administration and the writer, however nice the whole server is", async () => {
  const running = await place.start({ flags: ["--workers", "2"], under: ["nice", "-n", "3"] });
  const values = nicenessByThread(running);
  expect(values.get("keywarden-verif")).toEqual([3, 3]);
  expect(values.get("keywarden-write")).toEqual([13]);
  expect(values.get("MainThread")).toEqual([13]);
});

it("lets a thread that took the place of one that died go first again, where the server may say so", async () => {
  const running = await place.start({
    entry: "test/e2e/workers/serve-dying-on-command.ts",
    flags: ["--environment", "test"],
    variables: { DEATHS: place.directory },
  });
  await running.adminClient().createApi({
    api: { apiId: "orders", displayName: "Orders", tokenPrefix: "ord", environments: ["test"] },
  });
  const token = generateToken("ord", "test", randomBytes).reveal();
  writeFileSync(place.path(`${COMMAND}exception`), "");
  await expect(running.verifyClient().verifyKey({ token })).rejects.toMatchObject({ status: "UNAVAILABLE" });
  await expect.poll(() => running.output(), { timeout: 20_000 }).toContain("starting another");
  const mayRaise = process.getuid?.() === 0;
  await expect
    .poll(() => nicenessByThread(running).get("keywarden-verif"), { timeout: 20_000 })
    .toEqual([mayRaise ? 0 : 10]);
});
