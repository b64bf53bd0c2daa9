import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ApiId } from "../../src/domain/api.ts";
import { openStoreAt, refused } from "./store-open-attempt.ts";
import { attemptAs, type Holder, startHolder } from "./store-open-processes.ts";

let directory: string;
let path: string;
let holders: Holder[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keywarden-in-use-"));
  path = join(directory, "keywarden.db");
  holders = [];
});

afterEach(async () => {
  await Promise.all(holders.map((holder) => holder.kill()));
  rmSync(directory, { recursive: true });
});

async function hold(count = 1): Promise<readonly Holder[]> {
  holders = await Promise.all(Array.from({ length: count }, () => startHolder(path)));
  return holders;
}

it("a store that another process has is refused, and goes on undisturbed", async () => {
  await hold();
  expect(await attemptAs([], path)).toEqual(refused("STORE_IN_USE"));
});

it("a store is free again, with all that was acknowledged, once its process is killed", async () => {
  const [holder] = await hold();
  await holder?.kill();
  const store = await openStoreAt(path);
  expect(await store.getApi("orders" as ApiId)).toBeDefined();
  await store.close();
});

it("exactly one of several processes that start at once gets a new store", async () => {
  const said = (await hold(4)).map((holder) => holder.said);
  expect(said.toSorted()).toEqual(["STORE_IN_USE", "STORE_IN_USE", "STORE_IN_USE", "open"]);
});

it("a store that this process has itself is refused, and stays locked for others", async () => {
  const store = await openStoreAt(path);
  await expect(openStoreAt(path)).rejects.toMatchObject({ reason: "STORE_IN_USE" });
  expect((await hold()).map(({ said }) => said)).toEqual(["STORE_IN_USE"]);
  await store.close();
});
