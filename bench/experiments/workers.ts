import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import { benchToken } from "../requests/keys.ts";
import type { Experiment } from "./experiment.ts";
import { verifyOne } from "./subjects.ts";

const ONE = "VerifyKey, one thread";
const TWO = "VerifyKey, two threads on one core";
const ONE_LIMITED = "the same, all calls of one key with a rate limit";
const TWO_LIMITED = "two threads, all calls of one key with a rate limit";

export const workers: Experiment = {
  name: "workers",
  question:
    "what a second thread that verifies costs: two cores answer as many times more as its calls cost no more",
  async run(bench) {
    const token = benchToken(0).reveal();
    const limited = async (store: "small" | "two workers") => (await bench.fleet.limitedTokens(store)).roomy;
    const subjects = [
      await verifyOne(bench, { name: ONE, store: "small", token, expected: "ALLOWED" }),
      await verifyOne(bench, { name: TWO, store: "two workers", token, expected: "ALLOWED" }),
      await verifyOne(bench, {
        name: ONE_LIMITED,
        store: "small",
        token: await limited("small"),
        expected: "ALLOWED",
      }),
      await verifyOne(bench, {
        name: TWO_LIMITED,
        store: "two workers",
        token: await limited("two workers"),
        expected: "ALLOWED",
      }),
    ];
    return costSection("Two threads, by h2load", await measureCosts(subjects, bench), {
      base: ONE,
      others: [],
      // 2 / 1.11 = 1.8 times the answers of one.
      rows: [
        { name: ONE },
        { name: TWO, goal: { atMost: 1.11 } },
        { name: ONE_LIMITED },
        { name: TWO_LIMITED },
      ],
    });
  },
};
