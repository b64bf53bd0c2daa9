import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keywarden, type Surroundings } from "../support/command-line.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { cliSession } from "./cli-session.ts";

const ROOT = join(import.meta.dirname, "../..");
const SAMPLES = join(ROOT, "examples/migrate");
const IMPORT = ["--api", "shop", "--environment", "live"];

let session: Awaited<ReturnType<typeof cliSession>>;
const directory = temporaryDirectory();
/** All that any command or the server has printed. */
let printed = "";

beforeAll(async () => {
  session = await cliSession();
  await session.cli(["api", "apply", "--yes", "-f", join(SAMPLES, "shop.yaml")]);
});
afterAll(async () => {
  await session.close();
  directory.remove();
});

/** Every token of these tests has this in it, so that it is found wherever it does not belong. */
const tokenOf = (name: string | number) => `shop_secret_of_the_import_test_${name}`;
const hexOf = (name: string | number) => hash("sha256", tokenOf(name), "hex");

function file(name: string, text: string): string {
  const path = join(directory.path, name);
  writeFileSync(path, text);
  return path;
}

const csvOf = (names: readonly (string | number)[]) =>
  ["token,owner", ...names.map((name) => `${hexOf(name)},acct_1`), ""].join("\n");

async function run(args: readonly string[], rest: Omit<Surroundings, "variables"> = {}) {
  const outcome = await session.cli(["key", "import", ...args], rest);
  printed += outcome.stdout + outcome.stderr;
  return outcome;
}

/** What the command's summary says. */
async function summary(args: readonly string[], rest: Omit<Surroundings, "variables"> = {}) {
  const { stdout } = await run([...args, "--json"], rest);
  return JSON.parse(stdout);
}

async function verify(token: string, ...options: string[]): Promise<number> {
  return (await session.cli(["verify", ...IMPORT, ...options], { input: token })).code;
}

async function poll(until: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt++) {
    if (until()) return;
    await pause(50);
  }
  throw new Error("waited for a minute in vain");
}

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
    const { keys } = await session.json(["key", "list", "--api", "shop", "--owner", "acct_1", "--all"]);
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
    const { keys } = await session.json(["key", "list", "--api", "shop", "--owner", "acct_v2"]);
    expect(keys[0].rateLimits).toEqual([{ name: "requests", quota: 100, window: "60s" }]);
  });

  it("Kong's Admin API says the time left, and the consumer by its id", async () => {
    const row = { key: "kongExample9kongExample9kongExa9", consumer: { id: "c9" }, ttl: 3600, tags: ["ci"] };
    const input = JSON.stringify(row);
    expect((await run(["-", ...IMPORT, "--from", "kong"], { input })).code).toBe(0);
    const { keys } = await session.json(["key", "list", "--api", "shop", "--owner", "c9"]);
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
    const { token } = await session.json(key);
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

describe("an import", () => {
  const hex = [...IMPORT, "--hash", "sha256-hex"];

  it("made twice, or of overlapping files, makes each key once", async () => {
    const one = file("one.csv", csvOf([1, 2, 3]));
    const other = file("other.csv", csvOf([2, 3, 4, 4]));
    expect(await summary([one, ...hex])).toMatchObject({ rows: 3, imported: 3, alreadyThere: 0, refused: 0 });
    expect(await summary([one, ...hex])).toMatchObject({ imported: 0, alreadyThere: 3 });
    expect(await summary([other, ...hex])).toMatchObject({ imported: 1, alreadyThere: 3 });
  });

  it("imports the good rows, and tells each refused one by its line, field and rule", async () => {
    const text = `token,owner,scopes\n${hexOf("good")},acct_1,\nnot_a_hash_secret,acct_1,\n${hexOf("bad")},,ordrs:read\n1,2\n`;
    const path = file("partly.csv", text);
    const { code, stdout, stderr } = await run([path, ...hex]);
    expect(code).toBe(7);
    expect(stdout).toMatch(/Imported 1 key into shop\/live in .* s; 3 rows were refused/);
    expect(stderr.split("\n").filter((line) => line.startsWith("line"))).toEqual([
      "line 3: token: a SHA-256 is 64 hexadecimal digits (--hash sha256-hex), and this has 17 characters",
      'line 4: owner: is required; scopes[0]: "ordrs:read" covers no scope of shop; did you mean orders:read?',
      "line 5: the row has 2 fields, and the heading 3",
    ]);
    expect(await verify(tokenOf("good"))).toBe(0);
    const errors = join(directory.path, "errors.txt");
    const again = await run([path, ...hex, "--errors", errors]);
    expect(again.code).toBe(7);
    expect(again.stderr).not.toContain("line 3");
    expect(readFileSync(errors, "utf8").split("\n")).toHaveLength(4);
  });

  it("shows the first refused rows, and how many more there are", async () => {
    const input = `token,owner\n${"x,acct_1\n".repeat(2_500)}`;
    const { code, stderr } = await run(["-", ...hex], { input });
    expect(code).toBe(7);
    expect(stderr).toContain("line 21:");
    expect(stderr).not.toContain("line 22:");
    expect(stderr).toContain("… and 2,480 more: --errors FILE has them all");
  });

  it("refuses a row with half a rate limit: it would be none", async () => {
    const rows = [`${hexOf("half_1")},acct_1,100,`, `${hexOf("half_2")},acct_1,,60000`];
    const input = ["token,owner,rate_limit_quota,rate_limit_window", ...rows, ""].join("\n");
    const { code, stderr } = await run(["-", ...hex], { input });
    expect(code).toBe(7);
    const why = "rate_limit_quota, rate_limit_window: only one of them is there";
    expect(stderr).toBe(`line 2: ${why}\nline 3: ${why}\n`);
  });

  it("of JSON lines is refused with a column that no row has, in place of a key that is wider than meant", async () => {
    const row = { token: hexOf("wider"), owner: "acct_1", valid_until: "2099-01-01", is_on: false };
    const input = JSON.stringify(row);
    for (const slip of ["valid_untl=expire_time", "is_onn=enabled", "is_on.now=enabled"]) {
      const { code, stderr } = await run(["-", ...hex, "--map", slip], { input });
      expect(code).toBe(2);
      expect(stderr).toContain(`there is no column ${slip.split("=")[0]}\n`);
      expect(stderr).toContain("have the columns token, owner, valid_until");
    }
    const mapped = ["--map", "valid_until=expire_time", "--map", "is_on=enabled"];
    expect(await summary(["-", ...hex, ...mapped], { input })).toMatchObject({ imported: 1 });
    expect(await verify(tokenOf("wider"))).toBe(1);
  });

  it("of JSON lines tells at the end which columns went nowhere, also those of later rows only", async () => {
    const rows = Array.from({ length: 1_500 }, (_, index) => ({ token: hexOf(`late ${index}`), owner: "a" }));
    const input = [{ ...rows[0], early: 1 }, ...rows.slice(1), { ...rows[1], late: 1 }];
    const { code, stderr } = await run(["-", ...hex, "--dry-run"], {
      input: input.map((row) => JSON.stringify(row)).join("\n"),
    });
    expect([code, stderr]).toEqual([0, "Not imported: the columns early, late\n"]);
  });

  it("in a dry run counts as the import will, also of a token that comes again much later", async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `again ${index}`);
    const path = file("again.csv", csvOf([...names, ...names]));
    const counts = { rows: 2_400, imported: 1_200, alreadyThere: 1_200, refused: 0 };
    expect(await summary([path, ...hex, "--dry-run"])).toMatchObject(counts);
    expect(await summary([path, ...hex])).toMatchObject(counts);
  });

  it("has not been unused for longer than it is here, whenever its key was made", async () => {
    const input = `token,owner,create_time\n${hexOf("fresh")},acct_fresh,2020-01-01\n`;
    expect(await summary(["-", ...hex], { input })).toMatchObject({ imported: 1 });
    const list = ["key", "list", "--api", "shop", "--owner", "acct_fresh", "--quiet"];
    expect((await session.cli([...list, "--unused-for", "90d"])).stdout).toBe("");
    expect((await session.cli(list)).stdout).not.toBe("");
  });

  it("in a dry run stores nothing", async () => {
    const path = file("dry.csv", csvOf(["dry"]));
    const { code, stdout } = await run([path, ...hex, "--dry-run"]);
    expect([code, stdout]).toEqual([0, "✓ Would import 1 key into shop/live\n"]);
    expect(await verify(tokenOf("dry"))).toBe(1);
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("gives what a row does not say from options, and not what it says", async () => {
    const input = `token,owner,scopes,display_name\n${hexOf("said")},acct_5,orders:read,Mine\n${hexOf("unsaid")},,,\n`;
    const options =
      "--owner acct_6 --name Yours --scope orders:write --rate-limit d=5/1m --metadata a=b --expires-in 1d";
    expect((await run(["-", ...hex, ...options.split(" ")], { input })).code).toBe(0);
    const of = async (owner: string) =>
      (await session.json(["key", "list", "--api", "shop", "--owner", owner])).keys[0];
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
    expect(await summary(["-", ...hex], { input: rows.join("\n") })).toMatchObject({
      imported: 600,
      refused: 0,
    });
  });

  it("shows how far it is on a terminal, and nothing of that in a pipe", async () => {
    const path = file(
      "progress.csv",
      csvOf(Array.from({ length: 3_000 }, (_, index) => `progress ${index}`)),
    );
    const shown = await run([path, ...hex], { terminal: true });
    expect(shown.stderr).toMatch(/% \| [\d,]+ rows, [\d,]+ a second \| \S+ left/);
    const piped = await run([path, ...hex]);
    expect(piped.stderr).toBe("");
  });

  it("that Ctrl-C interrupts ends cleanly, says how to go on, and goes on", async () => {
    const path = file("interrupted.csv", csvOf(Array.from({ length: 20_000 }, (_, index) => `int ${index}`)));
    const state = `${path}.keywarden-import`;
    let interrupt = () => {};
    const machine = {
      onInterrupt: (act: () => void) => {
        interrupt = act;
        return () => {};
      },
    };
    const running = run([path, ...hex], { machine });
    await poll(() => existsSync(state));
    interrupt();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain("--resume");
    const { rows } = JSON.parse(readFileSync(state, "utf8"));
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(20_000);
    const rest = await summary([path, ...hex, "--resume"]);
    expect(rest).toMatchObject({ rows: 20_000, imported: 20_000, alreadyThere: 0, complete: true });
    expect(existsSync(state)).toBe(false);
  });

  it("that is interrupted at a terminal, where its launcher hears that as well, ends as cleanly", async () => {
    const path = file("terminal.csv", csvOf(Array.from({ length: 20_000 }, (_, index) => `term ${index}`)));
    const bin = join(ROOT, "bin/keywarden.mjs");
    const child = spawn(process.execPath, [bin, "key", "import", path, ...hex], {
      env: { ...process.env, ...session.variables },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const ended = once(child, "close");
    await poll(() => existsSync(`${path}.keywarden-import`));
    process.kill(-child.pid!, "SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(said).toContain("--resume");
    expect(await summary([path, ...hex, "--resume"])).toMatchObject({ rows: 20_000, imported: 20_000 });
  });

  it("that is killed goes on where it was, or from the start without harm", async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `kill_${index}`);
    const path = file("killed.csv", csvOf(names));
    const state = `${path}.keywarden-import`;
    const main = join(ROOT, "src/main.ts");
    const child = spawn(process.execPath, [main, "key", "import", path, ...hex], {
      env: { ...process.env, ...session.variables },
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await poll(() => existsSync(state));
    child.kill("SIGKILL");
    await ended;
    const { rows } = JSON.parse(readFileSync(state, "utf8"));
    const resumed = await summary([path, ...hex, "--resume"]);
    expect(resumed).toMatchObject({ rows: 20_000, refused: 0, complete: true });
    expect(resumed.imported + resumed.alreadyThere).toBe(20_000);
    expect(resumed.imported).toBeGreaterThanOrEqual(rows);
    expect(await summary([path, ...hex])).toMatchObject({ imported: 0, alreadyThere: 20_000 });
    expect([await verify(tokenOf("kill_0")), await verify(tokenOf("kill_19999"))]).toEqual([0, 0]);
  });

  it("goes on only with the same file and options", async () => {
    const path = file("resume.csv", csvOf(["resume"]));
    expect((await run([path, ...hex, "--resume"])).stderr).toContain("there is nothing to resume");
    writeFileSync(
      `${path}.keywarden-import`,
      JSON.stringify({
        version: 1,
        fingerprint: "x",
        rows: 1,
        counts: { imported: 1, alreadyThere: 0, refused: 0 },
      }),
    );
    expect((await run([path, ...hex, "--resume"])).stderr).toContain("of another input");
    writeFileSync(`${path}.keywarden-import`, "{");
    expect((await run([path, ...hex, "--resume"])).stderr).toContain("is not what an import has left");
    expect((await run(["-", ...hex, "--resume"], { input: "token\n" })).code).toBe(2);
  });

  it("goes on only with the same limits and expiry for rows that say nothing of them", async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `broken ${index}`);
    const path = join(directory.path, "broken.csv");
    writeFileSync(path, Buffer.concat([Buffer.from(csvOf(names)), Buffer.from([0xff, 0x0a])]));
    const told = [...hex, "--rate-limit", "d=5/1m", "--expires-in", "30d"];
    expect((await run([path, ...told])).stderr).toContain("Run the command again with --resume");
    for (const other of [hex, [...told, "--rate-limit", "e=1/1m"], [...hex, "--rate-limit", "d=5/1m"]]) {
      const { code, stderr } = await run([path, ...other, "--resume"]);
      expect(code).toBe(2);
      expect(stderr).toContain("of an import with other options");
    }
    const inOtherOrder = ["--expires-in", "30d", "--rate-limit", "d=5/1m", ...hex, "--resume"];
    expect((await run([path, ...inOtherOrder])).stderr).toContain("is not UTF-8 text");
  });

  it("that is interrupted before its first row is to be run again, and not resumed", async () => {
    const path = file("early.csv", csvOf(["early"]));
    const machine = {
      onInterrupt: (act: () => void) => {
        act();
        return () => {};
      },
    };
    const { code, stderr } = await run([path, ...hex], { machine });
    expect([code, stderr]).toEqual([130, "Nothing was imported: run the command again.\n"]);
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("never writes its refused rows over the export or its own state, by whatever name", async () => {
    const text = `${csvOf(["own"])}not_a_hash,acct_1\n`;
    const path = file("own.csv", text);
    const [soft, hard] = [join(directory.path, "soft.csv"), join(directory.path, "hard.csv")];
    symlinkSync(path, soft);
    linkSync(path, hard);
    for (const errors of [path, soft, hard, `${path}.keywarden-import`]) {
      const { code, stderr } = await run([path, ...hex, "--errors", errors]);
      expect([errors, code]).toEqual([errors, 2]);
      expect(stderr).toContain("which the import itself needs");
    }
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(await verify(tokenOf("own"))).toBe(1);
  });

  it("whose refused rows can't be written down says so, and ends", async () => {
    const path = file("noroom.csv", `${csvOf(["noroom"])}not_a_hash,acct_1\n`);
    const { code, stderr } = await run([path, ...hex, "--errors", "/dev/full"]);
    expect([code, stderr]).toEqual([
      5,
      "error: the file for --errors /dev/full cannot be written: there is no room\n",
    ]);
  });

  it("beside whose input nothing can be written goes on, and can be repeated", async () => {
    const path = file("full.csv", csvOf(["full"]));
    mkdirSync(`${path}.keywarden-import`);
    expect(await summary([path, ...hex])).toMatchObject({ imported: 1, complete: true });
    expect(await summary([path, ...hex])).toMatchObject({ alreadyThere: 1 });
  });

  it("whose server is not there says only that", async () => {
    const path = file("gone.csv", csvOf(["gone"]));
    const variables = { ...session.variables, KEYWARDEN_ADDRESS: "127.0.0.1:1" };
    const { code, stdout, stderr } = await keywarden(["key", "import", path, ...hex], { variables });
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toContain("no server answers");
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("whose server dies says what is done and how to go on", async () => {
    const other = await cliSession();
    try {
      await other.cli(["api", "apply", "--yes", "-f", join(SAMPLES, "shop.yaml")]);
      const path = file("dies.csv", csvOf(Array.from({ length: 20_000 }, (_, index) => `dies ${index}`)));
      const running = other.cli(["key", "import", path, ...hex]);
      await poll(() => existsSync(`${path}.keywarden-import`));
      await other.server.kill();
      const { code, stdout, stderr } = await running;
      printed += stdout + stderr;
      expect(code).toBe(4);
      expect(stderr).toMatch(/[\d,]+ rows are done \(.*\)\. Run the command again with --resume to go on\./);
    } finally {
      await other.close();
    }
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
    const hex = [...IMPORT, "--hash", "sha256-hex"];
    expect((await run([join(directory.path, "no.csv"), ...hex])).stderr).toContain("does not exist");
    expect((await run([directory.path, ...hex])).stderr).toContain("is a directory");
    expect((await run(["-", ...hex], { input: '[{"token":"x"}]' })).stderr).toContain("jq -c '.[]'");
  });
});

it("BatchImportKeys says in words that a request is larger than the admin plane takes", async () => {
  const keys = Array.from({ length: 1_000 }, (_, index) => ({
    token: { case: "tokenSha256" as const, value: hash("sha256", `huge ${index}`, "buffer") },
    owner: "x".repeat(5_000),
  }));
  const sent = session.server.adminClient().batchImportKeys({ api: "shop", environment: "live", keys });
  await expect(sent).rejects.toMatchObject({
    status: "RESOURCE_EXHAUSTED",
    message: expect.stringMatching(/4194304|4 MiB/),
  });
});

it("neither a command nor the server has printed a token or a hash", () => {
  const said = printed + session.server.output();
  expect(said).toContain("there already");
  for (const secret of ["secret", "kongExample", hexOf("good"), hexOf(1)]) expect(said).not.toContain(secret);
});
