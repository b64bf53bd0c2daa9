import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import { ROOT } from "./checkout.ts";
import { settingsOf } from "./settings-of.ts";

const FILE = join(ROOT, "examples/systemd/keywarden.service");
const unit = readFileSync(FILE, "utf8");
/** With the lines for TLS, which are there as comments. */
const withTls = unit.replace(/^#(?=[A-Za-z]+=)/gm, "");
/** Tenths of systemd's own measure, in which 0 is no exposure and 100 all of it. */
const MOST_EXPOSED = 15;

function valuesOf(text: string, directive: string): readonly string[] {
  return [...text.matchAll(/^([A-Za-z]+)=(.*)$/gm)]
    .filter(([, name]) => name === directive)
    .map(([, , value = ""]) => value);
}

/** The service's variables, with systemd's words for directories replaced. */
function variablesOf(text: string): Record<string, string> {
  const assignments = valuesOf(text, "Environment").map((line): [string, string] => {
    const [name = "", value = ""] = line.split(/=(.*)/s);
    return [name, value.replaceAll("%S", "/var/lib").replaceAll("%d", "/run/credentials/keywarden.service")];
  });
  return Object.fromEntries(assignments);
}

/** systemd-analyze, or undefined, said aloud, where there is none. */
function analyze(...args: string[]): { status: number | null; output: string } | undefined {
  const { status, stdout, stderr, error } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  if (error !== undefined) {
    console.warn(`NOT TESTED WITH systemd-analyze ${args[0]}: ${error.message}`);
    return undefined;
  }
  return { status, output: stdout + stderr };
}

describe("examples/systemd/keywarden.service", () => {
  it.each([
    ["as it is", unit, "127.0.0.1", false],
    ["with its lines for TLS", withTls, "0.0.0.0", true],
  ])("gives the server settings that it accepts, %s", (_, text, host, callersRequired) => {
    const variables = variablesOf(text);
    const settings = settingsOf(variables);
    expect(settings).toMatchObject({ grpc: { host }, callersRequired, insecurePlaintext: false });
    expect(settings.store.directory).toBe("/var/lib/keywarden");
    const seconds = Number(/^(\d+)s$/.exec(valuesOf(text, "TimeoutStopSec")[0] ?? "")?.[1]);
    expect(seconds * 1_000).toBeGreaterThan(settings.drainGrace);
    const used = Object.values(variables).flatMap(
      (value) => /\/run\/credentials\/.+\/(.+)$/.exec(value)?.[1] ?? [],
    );
    expect(valuesOf(text, "LoadCredential").map((line) => line.split(":")[0])).toEqual(used);
  });

  it("starts the command that the package installs, and leaves V8 the memory that it needs", () => {
    expect(valuesOf(unit, "ExecStart")).toEqual(["/opt/keywarden/node_modules/.bin/keywarden serve"]);
    expect(valuesOf(unit, "MemoryDenyWriteExecute")).toEqual(["no"]);
  });

  it("is sound, and as hardened as it says, in the eyes of systemd itself", () => {
    const directory = temporaryDirectory();
    try {
      for (const [name, text] of [
        ["keywarden", unit],
        ["keywarden-tls", withTls],
      ] as const) {
        // systemd looks for the program that is started: one stands in for the package here.
        const program = join(directory.path, "opt/keywarden/node_modules/.bin/keywarden");
        mkdirSync(dirname(program), { recursive: true });
        writeFileSync(program, "#!/bin/sh\n");
        chmodSync(program, 0o755);
        const file = join(directory.path, `${name}.service`);
        writeFileSync(file, text.replace("ExecStart=/opt", `ExecStart=${directory.path}/opt`));
        const verified = analyze("verify", file);
        if (verified === undefined) return;
        expect(verified).toEqual({ status: 0, output: "" });
        const security = analyze(
          "security",
          "--offline=true",
          "--no-pager",
          `--threshold=${MOST_EXPOSED}`,
          file,
        );
        expect(security).toMatchObject({
          status: 0,
          output: expect.stringContaining("Overall exposure level"),
        });
      }
    } finally {
      directory.remove();
    }
  });
});
