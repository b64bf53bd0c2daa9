import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { csvOf, HEX, hexOf, IMPORT, importSession, secretsIn, tokenOf } from "./import-session.ts";

const shop = importSession();
const { file, place, run, summary, verify } = shop;

describe("an import", () => {
  it("made twice, or of overlapping files, makes each key once", async () => {
    const one = file("one.csv", csvOf([1, 2, 3]));
    const other = file("other.csv", csvOf([2, 3, 4, 4]));
    expect(await summary([one, ...HEX])).toMatchObject({ rows: 3, imported: 3, alreadyThere: 0, refused: 0 });
    expect(await summary([one, ...HEX])).toMatchObject({ imported: 0, alreadyThere: 3 });
    expect(await summary([other, ...HEX])).toMatchObject({ imported: 1, alreadyThere: 3 });
  });

  it("imports the good rows, and tells each refused one by its line, field and rule", async () => {
    const text = `token,owner,scopes\n${hexOf("good")},acct_1,\nnot_a_hash_secret,acct_1,\n${hexOf("bad")},,ordrs:read\n1,2\n`;
    const path = file("partly.csv", text);
    const { code, stdout, stderr } = await run([path, ...HEX]);
    expect(code).toBe(7);
    expect(stdout).toMatch(/Imported 1 key into shop\/live in .* s; 3 rows were refused/);
    expect(stderr.split("\n").filter((line) => line.startsWith("line"))).toEqual([
      "line 3: token: a SHA-256 is 64 hexadecimal digits (--hash sha256-hex), and this has 17 characters",
      'line 4: owner: is required; scopes[0]: "ordrs:read" covers no scope of shop; did you mean orders:read?',
      "line 5: the row has 2 fields, and the heading 3",
    ]);
    expect(await verify(tokenOf("good"))).toBe(0);
    const errors = place("errors.txt");
    const again = await run([path, ...HEX, "--errors", errors]);
    expect(again.code).toBe(7);
    expect(again.stderr).not.toContain("line 3");
    expect(readFileSync(errors, "utf8").split("\n")).toHaveLength(4);
  });

  it("shows the first refused rows, and how many more there are", async () => {
    const input = `token,owner\n${"x,acct_1\n".repeat(2_500)}`;
    const { code, stderr } = await run(["-", ...HEX], { input });
    expect(code).toBe(7);
    expect(stderr).toContain("line 21:");
    expect(stderr).not.toContain("line 22:");
    expect(stderr).toContain("… and 2,480 more: --errors FILE has them all");
  });

  it("refuses a row with half a rate limit: it would be none", async () => {
    const rows = [`${hexOf("half_1")},acct_1,100,`, `${hexOf("half_2")},acct_1,,60000`];
    const input = ["token,owner,rate_limit_quota,rate_limit_window", ...rows, ""].join("\n");
    const { code, stderr } = await run(["-", ...HEX], { input });
    expect(code).toBe(7);
    const why = "rate_limit_quota, rate_limit_window: only one of them is there";
    expect(stderr).toBe(`line 2: ${why}\nline 3: ${why}\n`);
  });

  it("of JSON lines is refused with a column that no row has, in place of a key that is wider than meant", async () => {
    const row = { token: hexOf("wider"), owner: "acct_1", valid_until: "2099-01-01", is_on: false };
    const input = JSON.stringify(row);
    for (const slip of ["valid_untl=expire_time", "is_onn=enabled", "is_on.now=enabled"]) {
      const { code, stderr } = await run(["-", ...HEX, "--map", slip], { input });
      expect(code).toBe(2);
      expect(stderr).toContain(`there is no column ${slip.split("=")[0]}\n`);
      expect(stderr).toContain("have the columns token, owner, valid_until");
    }
    const mapped = ["--map", "valid_until=expire_time", "--map", "is_on=enabled"];
    expect(await summary(["-", ...HEX, ...mapped], { input })).toMatchObject({ imported: 1 });
    expect(await verify(tokenOf("wider"))).toBe(1);
  });

  it("of JSON lines tells at the end which columns went nowhere, also those of later rows only", async () => {
    const rows = Array.from({ length: 1_500 }, (_, index) => ({ token: hexOf(`late ${index}`), owner: "a" }));
    const input = [{ ...rows[0], early: 1 }, ...rows.slice(1), { ...rows[1], late: 1 }];
    const { code, stderr } = await run(["-", ...HEX, "--dry-run"], {
      input: input.map((row) => JSON.stringify(row)).join("\n"),
    });
    expect([code, stderr]).toEqual([0, "Not imported: the columns early, late\n"]);
  });

  it("in a dry run counts as the import will, also of a token that comes again much later", async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `again ${index}`);
    const path = file("again.csv", csvOf([...names, ...names]));
    const counts = { rows: 2_400, imported: 1_200, alreadyThere: 1_200, refused: 0 };
    expect(await summary([path, ...HEX, "--dry-run"])).toMatchObject(counts);
    expect(await summary([path, ...HEX])).toMatchObject(counts);
  });

  it("has not been unused for longer than it is here, whenever its key was made", async () => {
    const input = `token,owner,create_time\n${hexOf("fresh")},acct_fresh,2020-01-01\n`;
    expect(await summary(["-", ...HEX], { input })).toMatchObject({ imported: 1 });
    const list = ["key", "list", "--api", "shop", "--owner", "acct_fresh", "--quiet"];
    expect((await shop.session.cli([...list, "--unused-for", "90d"])).stdout).toBe("");
    expect((await shop.session.cli(list)).stdout).not.toBe("");
  });

  it("in a dry run stores nothing", async () => {
    const path = file("dry.csv", csvOf(["dry"]));
    const { code, stdout } = await run([path, ...HEX, "--dry-run"]);
    expect([code, stdout]).toEqual([0, "✓ Would import 1 key into shop/live\n"]);
    expect(await verify(tokenOf("dry"))).toBe(1);
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("gives what a row does not say from options, and not what it says", async () => {
    const input = `token,owner,scopes,display_name\n${hexOf("said")},acct_5,orders:read,Mine\n${hexOf("unsaid")},,,\n`;
    const options =
      "--owner acct_6 --name Yours --scope orders:write --rate-limit d=5/1m --metadata a=b --expires-in 1d";
    expect((await run(["-", ...HEX, ...options.split(" ")], { input })).code).toBe(0);
    const of = async (owner: string) =>
      (await shop.session.json(["key", "list", "--api", "shop", "--owner", owner])).keys[0];
    expect(await of("acct_5")).toMatchObject({
      displayName: "Mine",
      scopes: ["orders:read"],
      metadata: { a: "b" },
    });
    const unsaid = await of("acct_6");
    expect(unsaid).toMatchObject({
      displayName: "Yours",
      scopes: ["orders:write"],
      rateLimits: [{ name: "d" }],
    });
    expect(unsaid.expireTime).toBeDefined();
  });

  it("of large rows is sent in calls that the server takes", async () => {
    const label = "x".repeat(512);
    const labels = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`label_${index}`, label]));
    const rows = Array.from({ length: 600 }, (_, index) =>
      JSON.stringify({ token: hexOf(`large ${index}`), owner: "acct_1", metadata: labels }),
    );
    expect(await summary(["-", ...HEX], { input: rows.join("\n") })).toMatchObject({
      imported: 600,
      refused: 0,
    });
  });

  it("shows how far it is on a terminal, and nothing of that in a pipe", async () => {
    const path = file(
      "progress.csv",
      csvOf(Array.from({ length: 3_000 }, (_, index) => `progress ${index}`)),
    );
    const shown = await run([path, ...HEX], { terminal: true });
    expect(shown.stderr).toMatch(/% \| [\d,]+ rows, [\d,]+ a second \| \S+ left/);
    const piped = await run([path, ...HEX]);
    expect(piped.stderr).toBe("");
  });
});

describe("a command that can't be right is refused before anything is sent", () => {
  it.each<[string, readonly string[], RegExp]>([
    ["without a word on what the tokens' column holds", [], /what does the column of tokens hold/],
    [
      "with a column that is not there",
      ["--hash", "sha256-hex", "--map", "nope=owner"],
      /there is no column nope/,
    ],
    ["without a column of tokens", ["--from", "kong"], /there is no column key, which would have the tokens/],
    ["with a field that is none", ["--hash", "sha256-hex", "--map", "owner=nope"], /Write column=field/],
    ["with a system that is none", ["--from", "auth0"], /Write one of unkey/],
  ])("%s", async (_what, options, message) => {
    const { code, stderr } = await run(["-", ...IMPORT, ...options], {
      input: `token,owner\n${hexOf("x")},a\n`,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("with a file that is not there, a directory, or a JSON array", async () => {
    expect((await run([place("no.csv"), ...HEX])).stderr).toContain("does not exist");
    expect((await run([place("."), ...HEX])).stderr).toContain("is a directory");
    expect((await run(["-", ...HEX], { input: '[{"token":"x"}]' })).stderr).toContain("jq -c '.[]'");
  });
});

it("BatchImportKeys says in words that a request is larger than the admin plane takes", async () => {
  const keys = Array.from({ length: 1_000 }, (_, index) => ({
    token: { case: "tokenSha256" as const, value: hash("sha256", `huge ${index}`, "buffer") },
    owner: "x".repeat(5_000),
  }));
  const sent = shop.session.server.adminClient().batchImportKeys({ api: "shop", environment: "live", keys });
  await expect(sent).rejects.toMatchObject({
    status: "RESOURCE_EXHAUSTED",
    message: expect.stringMatching(/4194304|4 MiB/),
  });
});

it("neither a command nor the server has printed a token or a hash", () => {
  const said = shop.said();
  expect(said).toContain("there already");
  expect(secretsIn(said)).toEqual([]);
});
