import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import type { BodySpec } from "../requests/bodies.ts";
import { unknownToken } from "../requests/keys.ts";
import { verifyKeyMessage } from "../requests/messages.ts";
import { SMALL_STORE } from "../servers/fleet.ts";
import type { Experiment } from "./experiment.ts";
import { inTurn, referenceMany, verifyMany } from "./subjects.ts";

const CACHED = "VerifyKey, 10,000 keys in turn, cached";
const COLD = "VerifyKey, every key read from a large store";
const COLD_SMALL = `VerifyKey, every key read from a store of ${SMALL_STORE.toLocaleString("en")}`;
const GUESSES = "VerifyKey, every token a new guess";

/** More calls a second than any server here answers. */
const FASTEST = 60_000;

/** Always the next ones of so many, and each load's only once: what a cache of fewer holds is never asked for. */
function neverAgain(kind: BodySpec["kind"], of: number): (seconds: number) => BodySpec {
  let next = 0;
  return (seconds) => {
    const first = next;
    const count = Math.ceil(seconds * FASTEST);
    next += count;
    return { kind, first, count, of, repeat: false };
  };
}

export const cold: Experiment = {
  name: "cold",
  question: "what VerifyKey costs when its key is not cached, or there is no such key",
  async run(bench) {
    const guess = {
      message: verifyKeyMessage(unknownToken(2 ** 40).reveal()),
      expected: "UNKNOWN_TOKEN",
    } as const;
    const subjects = [
      ...(await referenceMany(bench, "grpc-js no-op", inTurn(10_000))),
      await verifyMany(bench, { name: CACHED, store: "large" }, () => inTurn(10_000)),
      await verifyMany(bench, { name: COLD, store: "large" }, neverAgain("verify-key", bench.verifiedKeys)),
      await verifyMany(bench, { name: COLD_SMALL, store: "uncached" }, () => inTurn(SMALL_STORE)),
      await verifyMany(bench, { name: GUESSES, store: "large", ...guess }, neverAgain("guess-key", 2 ** 40)),
    ];
    return costSection("Cached and cold, by the generator", await measureCosts(subjects, bench), {
      base: CACHED,
      others: ["grpc-js no-op"],
      rows: [
        { name: "grpc-js no-op" },
        { name: CACHED },
        // 0.8 of the cached rate.
        { name: COLD, goal: { atMost: 1.25 } },
        { name: COLD_SMALL },
        { name: GUESSES },
      ],
    });
  },
};
