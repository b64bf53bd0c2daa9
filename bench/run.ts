// `npm run bench`: what Keywarden costs on this machine, beside servers that do nothing. See README.md.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { EXPERIMENTS } from "./experiments/all.ts";
import type { Bench, Experiment } from "./experiments/experiment.ts";
import { killChildren } from "./measuring/children.ts";
import { describeMachine } from "./report/machine.ts";
import { writeResults } from "./report/readme.ts";
import { type Section, tableText } from "./report/section.ts";
import { Fleet } from "./servers/fleet.ts";
import { NotHere, requireTools } from "./tools.ts";

const ROOT = join(import.meta.dirname, "..");
/** Minutes that all of it may take. */
const LONGEST = 20;
const FULL = { rounds: 7, seconds: 2, largeStore: 1_000_000, keysToRevoke: 300_000 };
const QUICK = { rounds: 3, seconds: 1, largeStore: 200_000, keysToRevoke: 60_000 };

const began = performance.now();

function say(text: string): void {
  const seconds = Math.round((performance.now() - began) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  console.log(`${clock.padStart(6)}  ${text}`);
}

function usage(): string {
  const names = EXPERIMENTS.map(({ name, question }) => `  ${name.padEnd(12)} ${question}`);
  return [
    "npm run bench [-- options]",
    "  --quick       shorter loads and a smaller store, in about two minutes; too rough to be kept",
    "  --only NAME   one experiment; may be given again",
    "A run of everything is written to bench/README.md. The experiments:",
    ...names,
  ].join("\n");
}

/** Builds what is measured. */
function build(): string {
  say("building");
  const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
  if (status === 0) return "dist/main.js";
  say("the build failed, so the source is measured as it is");
  return "src/main.ts";
}

async function measure(experiments: readonly Experiment[], pace: typeof FULL): Promise<string> {
  const abort = new AbortController();
  const stop = (reason: string) => {
    abort.abort(new Error(reason));
    killChildren();
  };
  const limit = setTimeout(stop, LONGEST * 60_000, `stopped, as ${LONGEST} minutes are over`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => stop(`stopped by ${signal}`));
  process.once("disconnect", () => stop("stopped, as the launcher is gone"));
  process.channel?.unref();

  const { signal } = abort;
  const { rounds, seconds, largeStore, keysToRevoke } = pace;
  const verifiedKeys = largeStore - keysToRevoke;
  let revoked = verifiedKeys;
  const entry = build();
  const fleet = new Fleet({ entry, largeStore, signal, say });
  const takeKeysToRevoke = (count: number) => {
    const first = revoked;
    revoked += count;
    if (revoked > largeStore) throw new RangeError("there are no keys left to revoke");
    return { first, of: largeStore };
  };
  const bench: Bench = { fleet, rounds, seconds, largeStore, verifiedKeys, takeKeysToRevoke, say, signal };
  try {
    const { hardware, software } = describeMachine(fleet.directory);
    const parts = [`${new Date().toISOString().slice(0, 10)}, ${entry}. ${hardware}. ${software}.`];
    for (const { name, question, run } of experiments) {
      say(`${name}: ${question}`);
      parts.push(sectionText(await run(bench)));
      console.log(`\n${parts.at(-1)}\n`);
    }
    return parts.join("\n\n");
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(limit);
    await fleet.end();
  }
}

function sectionText(section: Section): string {
  return `### ${section.title}\n\n${tableText(section)}`;
}

process.once("exit", killChildren);
try {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !EXPERIMENTS.some((experiment) => experiment.name === name));
  if (unknown !== undefined) throw new NotHere(`there is no experiment ${unknown}\n\n${usage()}`);
  if (values.help) {
    console.log(usage());
  } else {
    requireTools(say);
    const chosen = EXPERIMENTS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
    const results = await measure(chosen, values.quick ? QUICK : FULL);
    if (chosen.length === EXPERIMENTS.length && !values.quick) {
      writeResults(results);
      say("written to bench/README.md");
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof NotHere ? 2 : 1;
}
