import { beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { testApi, testKey } from "../../test/support/records.ts";
import type { ApiId, Environment } from "../domain/api.ts";
import type { CredentialBinding, Key } from "../domain/key.ts";
import { HOUR } from "../domain/usage.ts";
import type { UsageWrites } from "../ports/store.ts";
import { createApi } from "./create-api.ts";
import { queryUsage, type Usage, type UsageQuestion } from "./usage-query.ts";

const DAY = 24 * HOUR;
/** Some hour of some day. */
const NOW = 20_000 * DAY + 5 * HOUR + 60_000;
const HOUR_NOW = 20_000 * 24 + 5;

let authority: Authority;
let orders: Key;
let live: Key;
let other: Key;

beforeEach(async () => {
  let usage: UsageWrites | undefined;
  authority = await createAuthority((store) => {
    usage = store;
    return store;
  });
  await createApi(authority.parts, testApi({ id: "other" as ApiId, tokenPrefix: "oth" }));
  orders = (await authority.key()).key;
  live = (await authority.key({ environment: "live" })).key;
  other = (await authority.key({ api: "other" })).key;
  authority.clock.now = NOW;
  const allowed = (key: Key | null, hour: number, count: number) => ({
    key,
    hour,
    reason: "ALLOWED" as const,
    count,
  });
  await usage!.recordUsage({
    counts: [
      allowed(orders, HOUR_NOW, 1),
      allowed(orders, HOUR_NOW - 1, 20),
      allowed(orders, HOUR_NOW - 24, 300),
      allowed(live, HOUR_NOW, 4_000),
      allowed(other, HOUR_NOW, 50_000),
      { ...allowed(null, HOUR_NOW, 600_000), reason: "UNKNOWN_TOKEN" },
      allowed(orders, HOUR_NOW - 24 * 60, 7_000_000),
    ],
    lastUses: [],
  });
});

interface Asking {
  readonly question?: Partial<UsageQuestion>;
  readonly binding?: CredentialBinding | null;
  readonly page?: { readonly size: number; readonly token: string };
}

function query({ question = {}, binding, page = { size: 0, token: "" } }: Asking = {}): Promise<Usage> {
  const credential = binding === undefined ? null : testKey({ api: "keywarden" as ApiId, binding });
  const parts = { ...authority.parts, caller: { ...authority.parts.caller, credential } };
  const nothing = { keyId: "", api: "", environment: "", from: undefined, until: undefined, width: 24 };
  return queryUsage(parts, { ...nothing, ...question }, page);
}

async function total(asking: Asking): Promise<number> {
  return (await query(asking)).totals.reduce((sum, { count }) => sum + count, 0);
}

function bindingTo(apis: readonly string[], environment: string | null = null): CredentialBinding {
  return { apis: apis as readonly ApiId[], environment: environment as Environment | null };
}

describe("usage", () => {
  it("is that of all keys and of no known key, of the last 30 days by day, if nothing is said", async () => {
    const { buckets, totals, from, until } = await query();
    expect(buckets.items.map(({ start }) => start / DAY)).toEqual([19_999, 20_000]);
    expect(totals).toEqual([
      { reason: "ALLOWED", count: 54_321 },
      { reason: "UNKNOWN_TOKEN", count: 600_000 },
    ]);
    // In whole days, so that none is cut in two.
    expect([from / DAY, until / DAY]).toEqual([19_970, 20_001]);
  });

  it.each([
    ["of a key", () => ({ keyId: orders.id }), 321],
    ["of an API", () => ({ api: "orders" }), 4_321],
    ["of an API's environment", () => ({ api: "orders", environment: "live" }), 4_000],
    ["of an API whose keys nobody used", () => ({ api: "keywarden" }), 0],
    ["from a time on", () => ({ api: "orders", from: NOW - DAY + 5 * HOUR }), 4_321],
    ["from an hour on", () => ({ api: "orders", from: NOW - 2 * HOUR, width: 1 }), 4_021],
    ["until an hour", () => ({ api: "orders", until: HOUR_NOW * HOUR, width: 1 }), 320],
    [
      "until just after the hour has begun",
      () => ({ api: "orders", until: HOUR_NOW * HOUR + 1, width: 1 }),
      4_321,
    ],
  ])("%s is that alone", async (_, question, expected) => {
    expect(await total({ question: question() })).toBe(expected);
  });

  it("comes in pages by time, each with the sum of all", async () => {
    const question = { width: 1, api: "orders" };
    const first = await query({ question, page: { size: 2, token: "" } });
    const second = await query({ question, page: { size: 2, token: first.buckets.nextPageToken } });
    const hours = [first, second].map(({ buckets }) => buckets.items.map(({ start }) => start / HOUR));
    expect(hours).toEqual([[HOUR_NOW - 24, HOUR_NOW - 1], [HOUR_NOW]]);
    expect(second.buckets.nextPageToken).toBe("");
    expect(second.totals).toEqual(first.totals);
    const otherQuestion = { width: 1, api: "other" };
    const token = first.buckets.nextPageToken;
    await expect(query({ question: otherQuestion, page: { size: 2, token } })).rejects.toMatchObject({
      reason: "INVALID_PAGE_TOKEN",
    });
  });

  it.each([
    [{ from: NOW, until: NOW }, "from_time"],
    [{ until: NOW - 31 * DAY, from: NOW - 30 * DAY }, "from_time"],
    [{ environment: "test" }, "api"],
    [{ keyId: "0193b0a8-0000-7000-8000-000000000000", api: "orders" }, "key_id"],
    [{ keyId: "0193b0a8-0000-7000-8000-000000000000", environment: "test" }, "key_id"],
  ])("is refused for %j, which names %s", async (question, field) => {
    await expect(query({ question })).rejects.toMatchObject({
      status: "INVALID_ARGUMENT",
      violations: [{ field }],
    });
  });

  it.each([
    [{ keyId: "0193b0a8-0000-7000-8000-00000000ffff" }, "KEY_NOT_FOUND"],
    [{ api: "nothing" }, "API_NOT_FOUND"],
  ])("of what is not there is refused: %j", async (question, reason) => {
    await expect(query({ question })).rejects.toMatchObject({ status: "NOT_FOUND", reason });
  });
});

describe("a credential that is bound", () => {
  it("to one API is told of that without saying so", async () => {
    expect(await total({ binding: bindingTo(["orders"]) })).toBe(4_321);
  });

  it("to an environment too is told of that", async () => {
    expect(await total({ binding: bindingTo(["orders"], "live") })).toBe(4_000);
  });

  it("to an environment alone has to say which API", async () => {
    const binding = bindingTo([], "test");
    await expect(query({ binding })).rejects.toMatchObject({ violations: [{ field: "api" }] });
    expect(await total({ binding, question: { api: "orders" } })).toBe(321);
  });

  it.each([
    ["all", {}],
    ["another API", { api: "other" }],
    ["another environment", { api: "orders", environment: "live" }],
  ])("to several APIs and an environment is not told of %s", async (_, question) => {
    const binding = bindingTo(["orders", "third"], "test");
    await expect(query({ binding, question })).rejects.toMatchObject({ reason: "CREDENTIAL_BOUND" });
  });

  it("is told of no key of another API or environment", async () => {
    const binding = bindingTo(["orders"], "test");
    expect(await total({ binding, question: { keyId: orders.id } })).toBe(321);
    for (const { id } of [live, other]) {
      const refused = query({ binding, question: { keyId: id } });
      await expect(refused).rejects.toMatchObject({ reason: "CREDENTIAL_BOUND" });
    }
  });
});
