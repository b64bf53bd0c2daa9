import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { PageTokens } from "./page-tokens.ts";

const tokens = new PageTokens(createSecretKey(Buffer.alloc(32, 1)));
const ids = Array.from({ length: 250 }, (_, index) => ({ id: `id-${String(index).padStart(4, "0")}` }));
const list = async (after: string, limit: number) => ids.filter(({ id }) => id > after).slice(0, limit);

it("gives every item once and in order, whatever the page's size", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (size) => {
      const seen: string[] = [];
      let token = "";
      do {
        const page = await tokens.page(["all"], { size, token }, list);
        expect(page.items.length).toBeLessThanOrEqual(size);
        seen.push(...page.items.map(({ id }) => id));
        token = page.nextPageToken;
      } while (token !== "");
      expect(seen).toEqual(ids.map(({ id }) => id));
    }),
  );
});

it("gives 100 items where no size is asked for, and never more than 1,000", async () => {
  const limits: number[] = [];
  const counting = async (_after: string, limit: number) => {
    limits.push(limit);
    return [];
  };
  await tokens.page([], { size: 0, token: "" }, counting);
  await tokens.page([], { size: 2_000_000_000, token: "" }, counting);
  expect(limits).toEqual([101, 1001]);
});

it("refuses a negative size", async () => {
  await expect(tokens.page([], { size: -1, token: "" }, list)).rejects.toMatchObject({
    status: "INVALID_ARGUMENT",
    violations: [{ field: "page_size" }],
  });
});

const refused = { status: "INVALID_ARGUMENT", reason: "INVALID_PAGE_TOKEN" };

it("refuses a token of another query, of another authority, and any that was made up", async () => {
  const { nextPageToken } = await tokens.page(["a", null], { size: 10, token: "" }, list);
  const others = new PageTokens(createSecretKey(Buffer.alloc(32, 2)));
  await expect(tokens.page(["b", null], { size: 10, token: nextPageToken }, list)).rejects.toMatchObject(
    refused,
  );
  await expect(tokens.page([null, "a"], { size: 10, token: nextPageToken }, list)).rejects.toMatchObject(
    refused,
  );
  await expect(others.page(["a", null], { size: 10, token: nextPageToken }, list)).rejects.toMatchObject(
    refused,
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.base64String()), async (made) => {
      fc.pre(made !== "");
      await expect(tokens.page(["a", null], { size: 10, token: made }, list)).rejects.toMatchObject(refused);
    }),
  );
});

it("refuses a token with any one character changed", async () => {
  const { nextPageToken } = await tokens.page(["a"], { size: 10, token: "" }, list);
  const original = Buffer.from(nextPageToken, "base64url");
  for (const [index, byte] of original.entries()) {
    const changed = Buffer.from(original);
    changed[index] = byte ^ 1;
    const token = changed.toString("base64url");
    await expect(tokens.page(["a"], { size: 10, token }, list)).rejects.toMatchObject(refused);
  }
});

it("ends a page where its items would fill more than 2 MiB, and goes on with the next one", async () => {
  const items = Array.from({ length: 50 }, (_, number) => ({
    id: `${100 + number}`,
    text: "x".repeat(100_000),
  }));
  const largeItems = async (after: string, limit: number) =>
    items.filter(({ id }) => id > after).slice(0, limit);
  const sizes: number[] = [];
  const ids: string[] = [];
  let token = "";
  do {
    const page = await tokens.page(["large"], { size: 1_000, token }, largeItems);
    sizes.push(page.items.length);
    ids.push(...page.items.map(({ id }) => id));
    token = page.nextPageToken;
  } while (token !== "");
  expect(sizes).toEqual([20, 20, 10]);
  expect(ids).toEqual(items.map(({ id }) => id));
});

it("gives an item alone that is larger than that", async () => {
  const largeItems = async (after: string) =>
    [
      { id: "1", text: "x".repeat(3_000_000) },
      { id: "2", text: "" },
    ].filter(({ id }) => id > after);
  const first = await tokens.page(["large"], { size: 10, token: "" }, largeItems);
  expect(first.items.map(({ id }) => id)).toEqual(["1"]);
  expect(
    (await tokens.page(["large"], { size: 10, token: first.nextPageToken }, largeItems)).items,
  ).toHaveLength(1);
});

it("counts the bytes of a page and not its characters: text that is not ASCII has more", async () => {
  const metadata = Object.fromEntries(Array.from({ length: 32 }, (_, label) => [label, "鍵".repeat(512)]));
  const items = Array.from({ length: 100 }, (_, number) => ({ id: `${100 + number}`, metadata }));
  const page = await tokens.page(["cjk"], { size: 100, token: "" }, async () => items);
  expect(page.items.length).toBeGreaterThan(10);
  expect(Buffer.byteLength(JSON.stringify(page.items))).toBeLessThan(2.1 * 1024 * 1024);
});
