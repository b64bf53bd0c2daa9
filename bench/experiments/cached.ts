import { measureCosts } from "../measuring/rounds.ts";
import { costSection } from "../report/section.ts";
import { benchToken } from "../requests/keys.ts";
import type { Experiment } from "./experiment.ts";
import { referenceOne, verifyOne } from "./subjects.ts";

const VERIFY = "VerifyKey, one key, cached";

export const cached: Experiment = {
  name: "cached",
  question: "what VerifyKey costs beside a gRPC server that does nothing",
  async run(bench) {
    const subjects = [
      ...(await referenceOne(bench, "grpc-js no-op")),
      ...(await referenceOne(bench, "grpc-js + codec")),
      await verifyOne(bench, {
        name: VERIFY,
        store: "small",
        token: benchToken(0).reveal(),
        expected: "ALLOWED",
      }),
      ...(await referenceOne(bench, "grpc-go no-op")),
    ];
    return costSection("Cached, by h2load", await measureCosts(subjects, bench), {
      base: "grpc-js no-op",
      others: ["grpc-go no-op"],
      rows: [
        { name: "grpc-go no-op" },
        { name: "grpc-js no-op" },
        { name: "grpc-js + codec" },
        { name: VERIFY, goal: { atMost: 1.1 } },
      ],
    });
  },
};
