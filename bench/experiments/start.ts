import { performance } from "node:perf_hooks";
import { spreadOf } from "../measuring/statistics.ts";
import { goalText, type Section, spreadText } from "../report/section.ts";
import type { Experiment } from "./experiment.ts";

/** Seconds, the first start of the process to the line in its log. */
const GOAL = 1;

export const start: Experiment = {
  name: "start",
  question: "how long a server with a large store takes until it serves",
  async run(bench): Promise<Section> {
    await bench.fleet.keywarden("large");
    const seconds: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      await bench.fleet.stop("large");
      const before = performance.now();
      await bench.fleet.restart("large");
      seconds.push((performance.now() - before) / 1000);
      bench.say(`start ${round + 1} of ${bench.rounds}: ${seconds.at(-1)?.toFixed(2)} s`);
    }
    const spread = spreadOf(seconds);
    return {
      title: "Start",
      head: ["", "seconds", "goal"],
      rows: [
        ["start to SERVING, large store", spreadText(spread), goalText({ atMost: GOAL }, spread.median)],
      ],
    };
  },
};
