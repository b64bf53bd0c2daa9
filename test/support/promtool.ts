import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../node_modules/.cache/keywarden-tools/promtool");
const BINARY = join(FOLDER, "promtool");

interface Judgement {
  readonly ok: boolean;
  readonly output: string;
}

/** Prometheus's own checker. */
export type Promtool = (args: readonly string[], input?: string) => Judgement;

/**
 * The real promtool: the machine's, or that of Debian's package prometheus, which is unpacked the first time without
 * being installed. Undefined, and said aloud, where there is neither.
 */
export function promtool(): Promtool | undefined {
  for (const binary of ["promtool", BINARY]) if (works(binary)) return calling(binary);
  try {
    fetchPromtool();
    return calling(BINARY);
  } catch (error) {
    console.warn(
      `NOT TESTED WITH promtool: it could not be had (${error instanceof Error ? error.message : error})`,
    );
    return undefined;
  }
}

function works(binary: string): boolean {
  return spawnSync(binary, ["--version"]).status === 0;
}

function calling(binary: string): Promtool {
  return (args, input = "") => {
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: "utf8", input });
    return { ok: status === 0, output: stdout + stderr };
  };
}

function fetchPromtool(): void {
  const work = mkdtempSync(join(tmpdir(), "keywarden-promtool-"));
  try {
    execFileSync("apt-get", ["download", "prometheus"], { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
    const file = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded no package");
    execFileSync("dpkg", ["-x", file, "unpacked"], { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
    mkdirSync(FOLDER, { recursive: true });
    // At once, as another test may be waiting for the same.
    const own = `${BINARY}.${process.pid}`;
    copyFileSync(join(work, "unpacked/usr/bin/promtool"), own);
    renameSync(own, BINARY);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (!existsSync(BINARY)) throw new Error("the package has no promtool");
}
