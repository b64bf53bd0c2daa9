import { CONNECTIONS } from "../measuring/h2load.ts";
import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import { benchToken } from "../requests/keys.ts";
import type { Experiment } from "./experiment.ts";
import { verifyOne } from "./subjects.ts";

const ONE = "one thread";
const TWO = "two threads, twice the connections";
const LIMITED = "two threads, twice the connections, all of one key with a rate limit";

/**
 * Two cores can answer as many times more than one as a call costs no more with two threads than with one. They are
 * measured on one core, which is what a small machine has beside the load.
 */
export const workers: Experiment = {
  name: "workers",
  question: "what a verification costs more when two threads share the work",
  async run(bench) {
    const token = benchToken(0).reveal();
    const { roomy } = await bench.fleet.limitedTokens("two workers");
    const twice = { store: "two workers", connections: 2 * CONNECTIONS, expected: "ALLOWED" } as const;
    const subjects = [
      await verifyOne(bench, { name: ONE, store: "small", token, expected: "ALLOWED" }),
      await verifyOne(bench, { ...twice, name: TWO, token }),
      await verifyOne(bench, { ...twice, name: LIMITED, token: roomy }),
    ];
    return costSection(
      "Two threads that verify, on one core, by h2load",
      await measureCosts(subjects, bench),
      {
        base: ONE,
        others: [],
        // 2 / 1.11 = 1.8 times as many answers.
        rows: [{ name: ONE }, { name: TWO, goal: { atMost: 1.11 } }, { name: LIMITED }],
      },
    );
  },
};
