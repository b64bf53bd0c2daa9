import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import { CACHE_SIZE, SMALL_STORE } from "../servers/fleet.ts";
import type { Experiment } from "./experiment.ts";
import { inTurn, verifyMany } from "./subjects.ts";

/** Nearly all that a cache holds: one key too many, asked for in turn, and nothing would ever be cached. */
const NEARLY_ALL = 0.9 * CACHE_SIZE;

export const growth: Experiment = {
  name: "growth",
  question: "whether VerifyKey costs the same with many keys stored",
  async run(bench) {
    const many = bench.largeStore.toLocaleString("en");
    const names = {
      small: "1,000 keys stored, all in turn",
      large: `${many} keys stored, 1,000 in turn`,
      full: `${many} keys stored, ${NEARLY_ALL.toLocaleString("en")} in turn, all cached`,
    };
    const subjects = [
      await verifyMany(bench, { name: names.small, store: "small" }, () => inTurn(SMALL_STORE)),
      await verifyMany(bench, { name: names.full, store: "large" }, () => inTurn(NEARLY_ALL)),
      await verifyMany(bench, { name: names.large, store: "large" }, () => inTurn(SMALL_STORE)),
    ];
    return costSection("Growth, cached, by the generator", await measureCosts(subjects, bench), {
      base: names.small,
      rows: [
        { name: names.small },
        { name: names.large, goal: { atMost: 1.1 } },
        { name: names.full, goal: { atMost: 1.1 } },
      ],
    });
  },
};
