import { execFile } from "node:child_process";
import { existsSync, statfsSync } from "node:fs";
import { promisify } from "node:util";
import { isSafeSqlite } from "../adapters/sqlite/connection.ts";
import type { Finding } from "../domain/finding.ts";

/** What a look at an installation asks of the machine. */
export interface Host {
  /** Milliseconds since the epoch. */
  now(): number;
  freeBytes(directory: string): number;
  /** undefined: nobody can tell. */
  isClockSynchronised(): Promise<boolean | undefined>;
  readonly node: string;
}

const SYSTEMD = "/run/systemd/system";
const PATIENCE = 2_000;
const OLDEST_NODE = 24;

export const HOST: Host = {
  now: Date.now,
  freeBytes: (directory) => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  },
  isClockSynchronised: async () => {
    if (!existsSync(SYSTEMD)) return undefined;
    try {
      const args = ["show", "--property=NTPSynchronized", "--value"];
      const { stdout } = await promisify(execFile)("timedatectl", args, { timeout: PATIENCE });
      return stdout.trim() === "yes";
    } catch {
      return undefined;
    }
  },
  node: process.versions.node,
};

/** What is wrong with the clock and with what Keywarden runs on. `sqlite`: empty if there is no store to ask. */
export async function hostFindings(host: Host, sqlite: string): Promise<readonly Finding[]> {
  const isSynchronised = await host.isClockSynchronised();
  const findings: readonly (readonly [isSo: boolean, Finding])[] = [
    [
      isSynchronised === false,
      {
        severity: "warning",
        code: "CLOCK_NOT_SYNCHRONISED",
        what: "the machine's clock is not synchronised: expiries, graces and limits go by it",
        next: "Run: timedatectl set-ntp true",
      },
    ],
    [
      Number.parseInt(host.node, 10) < OLDEST_NODE,
      {
        severity: "error",
        code: "NODE_OLD",
        what: `Node.js is ${host.node}, and Keywarden is made for ${OLDEST_NODE} and newer`,
        next: "Start it with npm start or npx keywarden, which bring their own",
      },
    ],
    [
      sqlite !== "" && !isSafeSqlite(sqlite),
      {
        severity: "error",
        code: "SQLITE_OLD",
        what: `SQLite is ${sqlite}, which can corrupt a database that several processes have open`,
        next: "Install the dependencies that Keywarden names: npm ci",
      },
    ],
  ];
  return findings.filter(([isSo]) => isSo).map(([, finding]) => finding);
}
