import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keywarden } from "../support/command-line.ts";
import { cliSession } from "./cli-session.ts";
import { csvOf, HEX, importSession, SAMPLES, secretsIn, tokenOf } from "./import-session.ts";

const ROOT = join(import.meta.dirname, "../..");
const shop = importSession();
const { file, place, run, summary, verify } = shop;

/** Waits until some rows of the file are imported. */
async function begun(path: string): Promise<void> {
  await expect
    .poll(() => existsSync(`${path}.keywarden-import`), { timeout: 60_000, interval: 50 })
    .toBe(true);
}

describe("an import", () => {
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
    const running = run([path, ...HEX], { machine });
    await begun(path);
    interrupt();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain("--resume");
    const { rows } = JSON.parse(readFileSync(state, "utf8"));
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(20_000);
    const rest = await summary([path, ...HEX, "--resume"]);
    expect(rest).toMatchObject({ rows: 20_000, imported: 20_000, alreadyThere: 0, complete: true });
    expect(existsSync(state)).toBe(false);
  });

  it("that is interrupted at a terminal, where its launcher hears that as well, ends as cleanly", async () => {
    const path = file("terminal.csv", csvOf(Array.from({ length: 20_000 }, (_, index) => `term ${index}`)));
    const bin = join(ROOT, "bin/keywarden.mjs");
    const child = spawn(process.execPath, [bin, "key", "import", path, ...HEX], {
      env: { ...process.env, ...shop.session.variables },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const ended = once(child, "close");
    await begun(path);
    process.kill(-child.pid!, "SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(said).toContain("--resume");
    expect(await summary([path, ...HEX, "--resume"])).toMatchObject({ rows: 20_000, imported: 20_000 });
  });

  it("that is killed goes on where it was, or from the start without harm", async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `kill_${index}`);
    const path = file("killed.csv", csvOf(names));
    const state = `${path}.keywarden-import`;
    const main = join(ROOT, "src/main.ts");
    const child = spawn(process.execPath, [main, "key", "import", path, ...HEX], {
      env: { ...process.env, ...shop.session.variables },
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await begun(path);
    child.kill("SIGKILL");
    await ended;
    const { rows } = JSON.parse(readFileSync(state, "utf8"));
    const resumed = await summary([path, ...HEX, "--resume"]);
    expect(resumed).toMatchObject({ rows: 20_000, refused: 0, complete: true });
    expect(resumed.imported + resumed.alreadyThere).toBe(20_000);
    expect(resumed.imported).toBeGreaterThanOrEqual(rows);
    expect(await summary([path, ...HEX])).toMatchObject({ imported: 0, alreadyThere: 20_000 });
    expect([await verify(tokenOf("kill_0")), await verify(tokenOf("kill_19999"))]).toEqual([0, 0]);
  });

  it("goes on only with the same file and options", async () => {
    const path = file("resume.csv", csvOf(["resume"]));
    expect((await run([path, ...HEX, "--resume"])).stderr).toContain("there is nothing to resume");
    writeFileSync(
      `${path}.keywarden-import`,
      JSON.stringify({
        version: 1,
        fingerprint: "x",
        rows: 1,
        counts: { imported: 1, alreadyThere: 0, refused: 0 },
      }),
    );
    expect((await run([path, ...HEX, "--resume"])).stderr).toContain("of another input");
    writeFileSync(`${path}.keywarden-import`, "{");
    expect((await run([path, ...HEX, "--resume"])).stderr).toContain("is not what an import has left");
    expect((await run(["-", ...HEX, "--resume"], { input: "token\n" })).code).toBe(2);
  });

  it("goes on only with the same limits and expiry for rows that say nothing of them", async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `broken ${index}`);
    const path = place("broken.csv");
    writeFileSync(path, Buffer.concat([Buffer.from(csvOf(names)), Buffer.from([0xff, 0x0a])]));
    const told = [...HEX, "--rate-limit", "d=5/1m", "--expires-in", "30d"];
    expect((await run([path, ...told])).stderr).toContain("Run the command again with --resume");
    for (const other of [HEX, [...told, "--rate-limit", "e=1/1m"], [...HEX, "--rate-limit", "d=5/1m"]]) {
      const { code, stderr } = await run([path, ...other, "--resume"]);
      expect(code).toBe(2);
      expect(stderr).toContain("of an import with other options");
    }
    const inOtherOrder = ["--expires-in", "30d", "--rate-limit", "d=5/1m", ...HEX, "--resume"];
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
    const { code, stderr } = await run([path, ...HEX], { machine });
    expect([code, stderr]).toEqual([130, "Nothing was imported: run the command again.\n"]);
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("never writes its refused rows over the export or its own state, by whatever name", async () => {
    const text = `${csvOf(["own"])}not_a_hash,acct_1\n`;
    const path = file("own.csv", text);
    const [soft, hard] = [place("soft.csv"), place("hard.csv")];
    symlinkSync(path, soft);
    linkSync(path, hard);
    for (const errors of [path, soft, hard, `${path}.keywarden-import`]) {
      const { code, stderr } = await run([path, ...HEX, "--errors", errors]);
      expect([errors, code]).toEqual([errors, 2]);
      expect(stderr).toContain("which the import itself needs");
    }
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(await verify(tokenOf("own"))).toBe(1);
  });

  it("never writes its refused rows over what standard input reads from", async () => {
    const text = `${csvOf(["piped"])}not_a_hash,acct_1\n`;
    const path = file("piped.csv", text);
    const input = openSync(path, "r");
    const args = ["src/main.ts", "key", "import", "-", "--format", "csv", ...HEX, "--errors", path];
    const env = { ...process.env, ...shop.session.variables };
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: ROOT,
      env,
      stdio: [input, "pipe", "pipe"],
      encoding: "utf8",
    });
    closeSync(input);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("is the file /dev/stdin, which the import itself needs"),
    ]);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("whose refused rows can't be written down says so, and ends", async () => {
    const path = file("noroom.csv", `${csvOf(["noroom"])}not_a_hash,acct_1\n`);
    const { code, stderr } = await run([path, ...HEX, "--errors", "/dev/full"]);
    expect([code, stderr]).toEqual([
      5,
      "error: the file for --errors /dev/full cannot be written: there is no room\n",
    ]);
  });

  it("beside whose input nothing can be written goes on, and can be repeated", async () => {
    const path = file("full.csv", csvOf(["full"]));
    mkdirSync(`${path}.keywarden-import`);
    expect(await summary([path, ...HEX])).toMatchObject({ imported: 1, complete: true });
    expect(await summary([path, ...HEX])).toMatchObject({ alreadyThere: 1 });
  });

  it("whose server is not there says only that", async () => {
    const path = file("gone.csv", csvOf(["gone"]));
    const variables = { ...shop.session.variables, KEYWARDEN_ADDRESS: "127.0.0.1:1" };
    const { code, stdout, stderr } = await keywarden(["key", "import", path, ...HEX], { variables });
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toContain("no server answers");
    expect(existsSync(`${path}.keywarden-import`)).toBe(false);
  });

  it("whose server dies says what is done and how to go on", async () => {
    const other = await cliSession();
    try {
      await other.cli(["api", "apply", "--yes", "-f", join(SAMPLES, "shop.yaml")]);
      const path = file("dies.csv", csvOf(Array.from({ length: 20_000 }, (_, index) => `dies ${index}`)));
      const running = other.cli(["key", "import", path, ...HEX]);
      await begun(path);
      await other.server.kill();
      const { code, stderr } = shop.noted(await running);
      expect(code).toBe(4);
      expect(stderr).toMatch(/[\d,]+ rows are done \(.*\)\. Run the command again with --resume to go on\./);
    } finally {
      await other.close();
    }
  });
});

it("neither a command nor the server has printed a token or a hash", () => {
  const said = shop.said();
  expect(said).toContain("--resume");
  expect(secretsIn(said)).toEqual([]);
});
