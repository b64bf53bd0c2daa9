import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { keywarden } from "../../test/support/command-line.ts";

const directory = mkdtempSync(join(tmpdir(), "keywarden-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

const TOKEN = "kw_live_0123456789abcdefghijABCDEFGHIJ01234567";
const variables = { KEYWARDEN_ADMIN_TOKEN: TOKEN };

describe("a command line that is wrong ends with 2 and says what is meant", () => {
  it.each([
    [["kye", "list"], "Did you mean key?"],
    [["key", "lst"], "Did you mean list?"],
    [["key", "list", "--onwer", "x"], "Did you mean --owner?"],
    [["key", "get"], "missing required argument 'id'"],
    [["key", "create", "--owner", "x"], "required option '--api <id>' not specified"],
    [["key", "create", "--api", "c2p", "--owner", "x", "--rate-limit", "100"], "Write name=quota/window"],
    [["key", "list", "--state", "gone"], "Write one of active, disabled, revoked."],
    [["key", "list", "--address", "nowhere"], '--address is "nowhere": write host:port'],
    [["key", "list", "--json=yes"], "--json"],
    [["serve", "--grpc", "off", "--http", "off", "--admin-grpc", "off"], "all off"],
    [["key", "update", "x", "--expires-in", "1d", "--no-expiry"], "cannot go together"],
    [["key", "update", "x", "--expires-in", "1d", "--expires-at", "2030-01-01"], "give one of them"],
    [["api", "apply", "-f", "/nowhere/at-all.yaml"], "/nowhere/at-all.yaml does not exist"],
  ])("%j", async (args, said) => {
    const { code, stdout, stderr } = await keywarden(args, { variables });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("and so does a variable that nobody knows", async () => {
    const outcome = await keywarden(["key", "list"], { variables: { KEYWARDEN_ADRESS: "127.0.0.1:1" } });
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean KEYWARDEN_ADDRESS?"),
    });
  });

  it("and so does no command at all, with the help", async () => {
    expect(await keywarden([])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Usage: keywarden"),
    });
  });
});

describe("a token on the command line", () => {
  it.each([
    [["verify", TOKEN]],
    [["verify", `--token=${TOKEN}`]],
    [[TOKEN]],
    [["key", "list", "--address", TOKEN]],
    [["key", "create", "--api", "a", "--owner", "o", "--rate-limit", TOKEN]],
  ])("is refused and not repeated: %#", async (args) => {
    const { code, stdout, stderr } = await keywarden(args, { variables });
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain(TOKEN.slice(8, 30));
  });
});

describe("verify", () => {
  it("refuses to read a token from a terminal, and says how to give it", async () => {
    const { code, stderr } = await keywarden(["verify"], { terminal: true });
    expect({ code, says: stderr.includes('printf %s "$TOKEN" | keywarden verify') }).toEqual({
      code: 2,
      says: true,
    });
  });

  it("does not read on for ever", async () => {
    const { code, stderr } = await keywarden(["verify"], { input: "x".repeat(5_000) });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: standard input is longer than 4096 bytes\n",
    });
  });
});

describe("the admin credential", () => {
  it("that is not there is told with where it was looked for", async () => {
    const file = join(directory, "admin-token");
    const { code, stderr } = await keywarden(["key", "list", "--token-file", file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file} does not exist`);
    expect(stderr).toContain("npm start");
  });

  it("that is none is not shown", async () => {
    const file = join(directory, "two-words");
    writeFileSync(file, "secret words");
    const { code, stderr } = await keywarden(["key", "list", "--token-file", file]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `error: the admin token's file ${file} does not hold one token (12 characters)\n`,
    });
  });

  it("is not sent to another machine in plain text, unless that is said aloud", async () => {
    const { code, stderr } = await keywarden(["key", "list", "--address", "192.0.2.1:50052"], { variables });
    expect({ code, says: stderr.includes("--insecure-plaintext") }).toEqual({ code: 2, says: true });
    const verify = await keywarden(["verify", "--verify-address", "192.0.2.1:50051"]);
    expect(verify.code).toBe(2);
  });
});

describe("a server that is not there", () => {
  it.each([
    [["key", "list", "--address", "127.0.0.1:1"], "no server answers at 127.0.0.1:1 (the admin plane)"],
    [["verify", "--verify-address", "127.0.0.1:1"], "no server answers at 127.0.0.1:1 (the data plane)"],
  ])("ends %j with 4 and says how to start one", async (args, said) => {
    const { code, stdout, stderr } = await keywarden(args, { variables });
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain(said);
    expect(stderr).toContain("keywarden serve");
  });
});

it.each([[["key", "revoke", "x"]], [["api", "delete", "x"]]])(
  "%j asks nobody and calls nobody where there is no terminal",
  async (args) => {
    const { code, stderr } = await keywarden([...args, "--address", "127.0.0.1:1"], { variables });
    expect({ code, says: stderr.includes("--yes") }).toEqual({ code: 2, says: true });
  },
);

describe("help", () => {
  it("lists the commands and the exit codes", async () => {
    const { code, stdout } = await keywarden(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/serve .*\n.*api .*\n.*key .*\n.*verify /);
    expect(stdout).toMatch(/1 {4}verify: the key is denied/);
  });

  it.each([
    ["serve"],
    ["api", "apply"],
    ["api", "list"],
    ["api", "get"],
    ["api", "delete"],
    ["key", "create"],
    ["key", "list"],
    ["key", "get"],
    ["key", "update"],
    ["key", "rotate"],
    ["key", "revoke"],
    ["key", "disable"],
    ["key", "enable"],
    ["verify"],
    ["secret", "list"],
    ["secret", "rotate"],
    ["secret", "forget"],
  ])("of %s %s has examples", async (...command) => {
    const { code, stdout } = await keywarden([...command, "--help"]);
    expect({ code, examples: /Examples:\n {2}# .*\n {2}.*keywarden/.test(stdout) }).toEqual({
      code: 0,
      examples: true,
    });
  });

  it("shows the version", async () => {
    expect(await keywarden(["--version"])).toMatchObject({ code: 0, stdout: "1.2.3\n" });
  });
});
