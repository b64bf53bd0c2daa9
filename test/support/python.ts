import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../node_modules/.cache/keywarden-tools");

/**
 * The `bin` folder of a Python with these packages, such as `authlib==1.9.6`, which is made the first time. Undefined,
 * and said aloud, where there is no Python or nowhere to get them from.
 */
export function pythonWith(packages: readonly string[]): string | undefined {
  const name = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 16);
  const place = join(FOLDER, `python-${name}`);
  if (existsSync(place)) return join(place, "bin");
  mkdirSync(FOLDER, { recursive: true });
  const work = mkdtempSync(join(FOLDER, "python-new-"));
  const run = (command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  try {
    run("python3", "-m", "venv", work);
    run(join(work, "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", ...packages);
    // At once, as another test may be waiting for the same. Programs in it name the folder that it was made in.
    renameSync(work, place);
    return join(place, "bin");
  } catch (error) {
    if (existsSync(place)) return join(place, "bin");
    console.warn(
      `NOT TESTED WITH ${packages.join(", ")}: not to be had (${error instanceof Error ? error.message : error})`,
    );
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
