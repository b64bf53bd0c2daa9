import { hash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IMPORT, importSession, SAMPLES, secretsIn, tokenOf } from "./import-session.ts";

const shop = importSession();
const { run, summary, verify } = shop;

describe("the tokens of each system are allowed after the import of its export", () => {
  it.each([
    ["unkey.csv", ["--from", "unkey"], "shop_unkey_example_1", 0],
    ["unkey.csv", ["--from", "unkey"], "shop_unkey_example_3", 1],
    ["better-auth.jsonl", ["--from", "better-auth"], "shop_better_auth_example_1", 0],
    ["better-auth.jsonl", ["--from", "better-auth"], "shop_better_auth_example_2", 1],
    ["kong.csv", ["--from", "kong", "--scope", "orders:read"], "kongExample2kongExample2kongExa2", 0],
    [
      "table.csv",
      [
        "--hash",
        "sha256-hex",
        "--map",
        "key_hash=token",
        "--map",
        "customer=owner",
        "--map",
        "rights=scopes",
      ],
      "ghp_exampleOfAHomeMadeTable2",
      0,
    ],
  ])("%s %o", async (sample, options, token, code) => {
    expect((await run([join(SAMPLES, sample), ...IMPORT, ...options])).code).toBe(0);
    expect(await verify(token, "--scope", "orders:read")).toBe(code);
  });

  it("and its fields are the keys'", async () => {
    const { keys } = await shop.session.json(["key", "list", "--api", "shop", "--owner", "acct_1", "--all"]);
    expect(keys).toContainEqual(
      expect.objectContaining({
        displayName: "CI",
        hint: "shop_unke…",
        metadata: { plan: "pro" },
        rateLimits: [{ name: "imported", quota: 100, window: "60s" }],
        scopes: ["orders:read", "orders:write"],
        expireTime: "2099-01-31T09:00:00Z",
        createTime: "2023-11-14T22:13:20Z",
        state: "STATE_ACTIVE",
      }),
    );
    expect(keys).toContainEqual(expect.objectContaining({ metadata: { tags: "{ci,eu}" }, hint: "…Exa1" }));
  });

  it("Unkey's API lists the limits of a key, of which those count that apply by themselves", async () => {
    const row = {
      keyId: "key_1",
      plaintext: "shop_secret_of_unkeys_api",
      identity: { id: "id_1", externalId: "acct_v2" },
      permissions: ["orders:read"],
      ratelimits: [
        { id: "rl_1", name: "Requests", limit: 100, duration: 60_000, autoApply: true },
        { id: "rl_2", name: "exports", limit: 1, duration: 3_600_000, autoApply: false },
      ],
      createdAt: 1_700_000_000_000,
      enabled: true,
    };
    const options = ["--from", "unkey", "--hash", "plaintext", "--map", "plaintext=token"];
    const { code, stderr } = await run(["-", ...IMPORT, ...options], { input: JSON.stringify(row) });
    expect([code, stderr]).toEqual([0, "Not imported: the columns keyId\n"]);
    expect(await verify(row.plaintext, "--scope", "orders:read")).toBe(0);
    const { keys } = await shop.session.json(["key", "list", "--api", "shop", "--owner", "acct_v2"]);
    expect(keys[0].rateLimits).toEqual([{ name: "requests", quota: 100, window: "60s" }]);
  });

  it("Kong's Admin API says the time left, and the consumer by its id", async () => {
    const row = { key: "kongExample9kongExample9kongExa9", consumer: { id: "c9" }, ttl: 3600, tags: ["ci"] };
    const input = JSON.stringify(row);
    expect((await run(["-", ...IMPORT, "--from", "kong"], { input })).code).toBe(0);
    const { keys } = await shop.session.json(["key", "list", "--api", "shop", "--owner", "c9"]);
    expect(keys[0].metadata).toEqual({ tags: "ci" });
    expect(Date.parse(keys[0].expireTime)).toBeGreaterThan(Date.now() + 3_000_000);
  });
});

describe("each format of hashes", () => {
  it.each([
    ["sha256-hex", (token: string) => hash("sha256", token, "hex")],
    ["sha256-base64", (token: string) => hash("sha256", token, "base64")],
    ["sha256-base64url", (token: string) => hash("sha256", token, "base64url")],
    ["plaintext", (token: string) => token],
  ])("%s leads to the token, in CSV and in JSON lines", async (format, write) => {
    const [first, second] = [tokenOf(`csv ${format}`.replace(" ", "_")), tokenOf(`json_${format}`)];
    const csv = { input: `token,owner\n${write(first)},acct_1\n` };
    const json = { input: JSON.stringify({ token: write(second), owner: "acct_1" }) };
    expect(await summary(["-", ...IMPORT, "--hash", format], csv)).toMatchObject({ imported: 1 });
    expect(await summary(["-", ...IMPORT, "--hash", format], json)).toMatchObject({ imported: 1 });
    expect([await verify(first), await verify(second)]).toEqual([0, 0]);
  });

  it("a token of another Keywarden is seen to be one, and one for another environment refused", async () => {
    const key = ["key", "create", "--api", "shop", "--environment", "live", "--owner", "acct_1"];
    const { token } = await shop.session.json(key);
    const input = `token,owner\n${token},acct_1\n`;
    expect(await summary(["-", ...IMPORT, "--hash", "plaintext"], { input })).toMatchObject({
      alreadyThere: 1,
    });
    const test = ["--api", "shop", "--environment", "test", "--hash", "plaintext"];
    const { code, stderr } = await run(["-", ...test], { input });
    expect(code).toBe(7);
    expect(stderr).toContain("another environment");
  });
});

it("neither a command nor the server has printed a token or a hash", () => {
  const said = shop.said();
  expect(said).toContain("there already");
  expect(secretsIn(said)).toEqual([]);
});
