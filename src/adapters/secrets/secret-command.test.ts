import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/keywarden-process.ts";
import { runSecretCommand } from "./secret-command.ts";
import { refusalsOf } from "./secret-refusal.ts";

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

/** Runs this text as a program. */
const run = (script: string, env: NodeJS.ProcessEnv = {}, mostMs?: number) =>
  runSecretCommand(
    { program: process.execPath, args: ["-e", script] },
    env,
    refusalsOf("seal-key"),
    ...(mostMs === undefined ? [] : [mostMs]),
  );

const shell = (script: string, mostMs?: number) =>
  runSecretCommand(
    { program: "/bin/sh", args: ["-c", script] },
    { PATH: process.env["PATH"] },
    refusalsOf("seal-key"),
    ...(mostMs === undefined ? [] : [mostMs]),
  );

const refusalOf = async (running: Promise<Buffer>) => {
  const error = await running.then(
    (text) => new Error(`it was taken: ${text}`),
    (refusal: unknown) => refusal,
  );
  expect(error).toMatchObject({ reason: "SEAL_KEY_UNREADABLE", status: "FAILED_PRECONDITION" });
  return String(error);
};

it("what a program prints is the secret, however many writes it takes", async () => {
  const text = await run("for (const part of ['a', 'b', '\\n']) process.stdout.write(part)");
  expect(text.toString()).toBe("ab\n");
});

it("a program gets its arguments as they are, the environment, and nothing on standard input", async () => {
  const text = await run(
    "process.stdin.on('data', () => {}).on('end', () => console.log(process.env.VAULT, '$HOME'))",
    { VAULT: "there" },
  );
  expect(text.toString()).toBe("there $HOME\n");
});

describe("a program that fails is told with what it said", () => {
  it("on standard error", async () => {
    const said = await refusalOf(run("console.error('no such path:\\n /secret/keywarden'); process.exit(2)"));
    expect(said).toContain("ended with 2, and said: no such path: /secret/keywarden");
    expect(said).toContain("--seal-key (KEYWARDEN_SEAL_KEY)");
  });

  it("if it said nothing", async () => {
    expect(await refusalOf(run("process.exit(1)"))).toContain("ended with 1, and said nothing");
    expect(await refusalOf(run("process.kill(process.pid, 'SIGTERM')"))).toContain("was ended by SIGTERM");
  });

  it("if there is none", async () => {
    const program = join(directory.path, "no-such-program");
    const missing = runSecretCommand({ program, args: ["x"] }, {}, refusalsOf("seal-key"));
    expect(await refusalOf(missing)).toContain(`the command ${program} does not exist`);
    const folder = runSecretCommand({ program: directory.path, args: [] }, {}, refusalsOf("seal-key"));
    expect(await refusalOf(folder)).toContain("cannot be run (EACCES)");
  });

  it("but never with the secret, whichever way it said that", async () => {
    for (const encoding of ["base64", "base64url", "hex"] as const) {
      const secret = randomBytes(32).toString(encoding);
      const told = [
        `console.error('+ echo ${secret}')`,
        `console.error(JSON.stringify({ data: '${secret}' }).replaceAll('/', '\\\\/'))`,
        `console.log('${secret}'); console.error('${secret}')`,
        `process.stderr.write('x'.repeat(4076) + ' ${secret}')`,
      ];
      for (const script of told) {
        const said = await refusalOf(run(`${script}; process.exitCode = 1`));
        expect(said).toContain("ended with 1");
        expect(said).not.toContain(secret.slice(0, 12));
        expect(said).not.toContain(secret.slice(-12));
      }
    }
  });

  it("nor with what a terminal would obey", async () => {
    const said = await refusalOf(run("console.error('\\u001b[31mred\\u202e'); process.exitCode = 1"));
    expect(said).toContain("said: [31mred");
    expect(said).not.toMatch(/\p{C}/u);
  });
});

it("a program that prints on and on is stopped", async () => {
  const said = await refusalOf(shell("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"));
  expect(said).toContain("printed more than 65536 bytes");
});

it("a program that takes too long is ended with all that it has started", async () => {
  const pidFile = join(directory.path, "pid");
  // The one that it started holds the output open after the first has ended.
  const said = await refusalOf(shell(`sleep 600 & echo $! > ${pidFile}; exit 0`, 2_000));
  expect(said).toContain("took longer than 2 s");
  const pid = Number(readFileSync(pidFile, "utf8"));
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
});

/** One that has ended and that nobody has asked about yet is none. */
function isRunning(pid: number): boolean {
  if (existsSync("/proc/self/stat")) {
    return existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
