import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import type { KeywardenProcess } from "../../test/support/keywarden-process.ts";
import type { LaneSpec } from "../generator/lane.ts";
import { treeCpuSeconds } from "../measuring/cpu-time.ts";
import { generate, peakRate } from "../measuring/generate.ts";
import { CONNECTIONS, STREAMS } from "../measuring/h2load.ts";
import { median, spreadOf } from "../measuring/statistics.ts";
import { goalText, type Section, spreadText } from "../report/section.ts";
import { API, ENVIRONMENT } from "../requests/keys.ts";
import { VERIFY_KEY } from "../requests/messages.ts";
import { SMALL_STORE } from "../servers/fleet.ts";
import type { Bench, Experiment } from "./experiment.ts";
import { ALLOWED, inTurn } from "./subjects.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Rows of the file that are written at once. */
const BLOCK = 10_000;
/** Of one measurement of latencies, in seconds. */
const WINDOW = 5;

export const imports: Experiment = {
  name: "import",
  question: "how long an import takes while keys are verified, and how long those take meanwhile",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.keywarden("importing");
    const verifying: LaneSpec = {
      address: server.grpc,
      path: VERIFY_KEY,
      bodies: inTurn(SMALL_STORE),
      connections: CONNECTIONS,
      streams: STREAMS,
      seconds: bench.seconds,
      replyStart: ALLOWED,
    };
    bench.say("measuring the peak rate");
    const perSecond = (await peakRate(verifying)) / 2;
    const steady: LaneSpec = { ...verifying, perSecond, rests: true, seconds: WINDOW };

    const file = writeKeys(bench);
    const alone = await tailsUntil(bench, steady, 3 * WINDOW);
    const before = treeCpuSeconds(server.pid);
    const running = importing(bench, server, file);
    const during = await tailsUntil(bench, steady, running.ended);
    const { seconds, cpuSeconds } = await running.ended;
    const after = await tailsUntil(bench, steady, 3 * WINDOW);
    const ratio = median(during) / median([...alone, ...after]);
    const rate = Math.round(perSecond).toLocaleString("en");
    const keys = bench.largeStore.toLocaleString("en");
    const serverCpu = treeCpuSeconds(server.pid) - before;
    bench.say(
      `the server took ${serverCpu.toFixed(0)} s of CPU with its verifications, the command ${cpuSeconds.toFixed(0)}`,
    );
    return {
      title: `Import of ${keys} keys while ${rate} a second are verified (half of the peak), on two cores with the load`,
      head: ["", "", "goal"],
      rows: [
        ["seconds", seconds.toFixed(0), goalText({ atMost: 120 * (bench.largeStore / 1_000_000) }, seconds)],
        ["keys a second", Math.round(bench.largeStore / seconds).toLocaleString("en"), ""],
        ["VerifyKey p99 without it, µs", spreadText(spreadOf([...alone, ...after]), 0), ""],
        ["VerifyKey p99 meanwhile, µs", spreadText(spreadOf(during), 0), ""],
        ["ratio", ratio.toFixed(2), goalText({ atMost: 1.5 }, ratio)],
      ],
    };
  },
};

/** Of each window, the p99 in microseconds: for so many seconds, or until something has ended. */
async function tailsUntil(
  bench: Bench,
  lane: LaneSpec,
  end: number | Promise<unknown>,
): Promise<readonly number[]> {
  let isOver = false;
  const begin = performance.now();
  if (typeof end !== "number")
    void end
      .finally(() => {
        isOver = true;
      })
      .catch(() => {});
  const tails: number[] = [];
  while (typeof end === "number" ? performance.now() - begin < end * 1000 : !isOver) {
    bench.signal.throwIfAborted();
    const [result] = await generate([lane]);
    if (!isOver) tails.push(result?.p99 ?? Number.NaN);
  }
  return tails;
}

/** A table of keys that are hashed already, as `keywarden key import` reads it. */
function writeKeys(bench: Bench): string {
  const path = join(bench.fleet.directory, "keys.csv");
  const file = openSync(path, "w");
  writeSync(file, "token,owner,display_name,scopes,metadata,expire_time,create_time,enabled\n");
  for (let first = 0; first < bench.largeStore; first += BLOCK) {
    const rows = Array.from({ length: Math.min(BLOCK, bench.largeStore - first) }, (_, index) =>
      rowOf(first + index),
    );
    writeSync(file, rows.join(""));
  }
  closeSync(file);
  return path;
}

function rowOf(number: number): string {
  const token = hash("sha256", `imported ${number}`, "base64");
  return `${token},acct_${number % 50_000},Key ${number},orders:read orders:write,"{""plan"":""pro""}",2035-01-31T09:00:00Z,2025-01-31,true\n`;
}

/** The command, as somebody runs it who shares the machine with the server: after it where both want a core. */
function importing(
  bench: Bench,
  server: KeywardenProcess,
  file: string,
): { readonly ended: Promise<{ readonly seconds: number; readonly cpuSeconds: number }> } {
  const begin = performance.now();
  const main = resolve(ROOT, bench.fleet.entry);
  const flags = [
    "--api",
    API,
    "--environment",
    ENVIRONMENT,
    "--hash",
    "sha256-base64",
    "--native-tokens",
    "--json",
  ];
  const child = spawn("nice", ["-n", "10", process.execPath, main, "key", "import", file, ...flags], {
    env: {
      ...process.env,
      KEYWARDEN_ADDRESS: server.adminGrpc,
      KEYWARDEN_TOKEN_FILE: join(server.directory, "admin-token"),
      KEYWARDEN_TIMEOUT: "60s",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  bench.signal.addEventListener("abort", () => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  let cpuSeconds = 0;
  const watch = setInterval(() => {
    if (child.exitCode === null && child.pid !== undefined) cpuSeconds = treeCpuSeconds(child.pid);
  }, 1_000);
  const ended = once(child, "exit").then(([code]) => {
    clearInterval(watch);
    const { imported } = JSON.parse(output);
    if (code !== 0 || imported !== bench.largeStore)
      throw new Error(`the import ended with ${code}: ${output}`);
    return { seconds: (performance.now() - begin) / 1000, cpuSeconds };
  });
  return { ended };
}
