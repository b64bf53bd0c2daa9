// Every check that is not a test, one line each; ends with 1 if one of them failed. `npm run check [name…]`.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a command; what it printed is shown only if the check fails. */
function command(name, ...args) {
  const env = { ...process.env, NO_COLOR: "1" };
  delete env.FORCE_COLOR;
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: "utf8",
    env,
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  return { ok: status === 0, output: stdout + stderr };
}

/** Without modules to look at (as with a TypeScript that has no API), dependency-cruiser finds no violation. */
function layers() {
  const cruise = command("depcruise", "src", "--config", ".dependency-cruiser.mjs", "--output-type", "json");
  if (!cruise.output.startsWith("{")) return { ...cruise, ok: false };
  const { totalCruised, violations } = JSON.parse(cruise.output).summary;
  const lines = violations.map(({ rule, from, to }) => `${rule.severity} ${rule.name}: ${from} → ${to}`);
  if (totalCruised === 0) lines.push("dependency-cruiser saw no modules");
  return { ok: lines.length === 0, output: lines.join("\n"), note: `${totalCruised} modules` };
}

function git(...args) {
  return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/** What the contract must stay compatible with: the last release, or before the first one the last commit. */
function breaking() {
  let since = "HEAD";
  try {
    since = git("describe", "--tags", "--abbrev=0", "--match", "v*");
  } catch {
    // No release yet.
  }
  const against = `.git#ref=${since === "HEAD" ? git("rev-parse", "HEAD") : since}`;
  return { ...command("buf", "breaking", "--against", against), note: `since ${since}` };
}

function filesIn(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(files.map((file) => [file.slice(directory.length + 1), readFileSync(file, "utf8")]));
}

function generated() {
  const fresh = mkdtempSync(join(tmpdir(), "keywarden-generated-"));
  try {
    const made = command("buf", "generate", "--output", fresh);
    if (!made.ok) return made;
    const [wanted, found] = [filesIn(join(fresh, "src", "gen")), filesIn(join("src", "gen"))];
    const stale = [...new Set([...wanted.keys(), ...found.keys()])].filter(
      (f) => wanted.get(f) !== found.get(f),
    );
    const output = stale
      .map((file) => `src/gen/${file} is not what proto/ makes: npm run generate`)
      .join("\n");
    return { ok: stale.length === 0, output };
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

const CHECKS = {
  types: () => command("tsc", "--project", "."),
  biome: () => command("biome", "ci", "--colors=off", "--diagnostic-level=error", "."),
  oxlint: () => command("oxlint", "--deny-warnings"),
  knip: () => command("knip", "--no-progress"),
  layers,
  "proto lint": () => command("buf", "lint"),
  "proto format": () => command("buf", "format", "--diff", "--exit-code"),
  "proto breaking": breaking,
  "generated code": generated,
  "generated docs": () => command(process.execPath, "scripts/write-docs.ts", "--check"),
};

const asked = process.argv.slice(2);
const failed = [];
for (const [name, check] of Object.entries(CHECKS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const began = performance.now();
  const { ok, output, note } = check();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${ok ? "✓" : "✗"} ${name} (${[note, `${seconds} s`].filter(Boolean).join(", ")})`);
  if (ok) continue;
  failed.push(name);
  console.log(output.trim().replace(/^/gm, "    "));
}
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(", ")}.`);
  process.exitCode = 1;
}
