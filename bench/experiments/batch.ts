import { fromBinary } from "@bufbuild/protobuf";
import { BatchVerifyKeysResponseSchema, Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { measureCosts } from "../measuring/rounds.ts";
import { median } from "../measuring/statistics.ts";
import { oneCall } from "../measuring/subjects.ts";
import { goalText, type Section } from "../report/section.ts";
import { benchToken } from "../requests/keys.ts";
import { BATCH_VERIFY_KEYS, batchMessage } from "../requests/messages.ts";
import type { Experiment } from "./experiment.ts";

const BATCH = 100;
const NAME = `BatchVerifyKeys of ${BATCH}`;
/** Microseconds of CPU a key. */
const GOAL = 2.5;

export const batch: Experiment = {
  name: "batch",
  question: "what a key costs that is verified together with 99 others",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.keywarden("small");
    const subject = oneCall({
      name: NAME,
      pid: server.pid,
      address: server.grpc,
      path: BATCH_VERIFY_KEYS,
      message: batchMessage(Array.from({ length: BATCH }, (_, number) => benchToken(number).reveal())),
      decisions: BATCH,
      directory: bench.fleet.directory,
      assertReply,
    });
    const costs = (await measureCosts([subject], bench)).get(NAME) ?? [];
    const perKey = median(costs) / BATCH;
    return {
      title: "Batches, by h2load",
      head: ["", "µs CPU", "µs a key", "keys/s a core", "goal, µs a key"],
      rows: [
        [
          NAME,
          median(costs).toFixed(1),
          perKey.toFixed(2),
          Math.round(1e6 / perKey).toLocaleString("en"),
          goalText({ atMost: GOAL }, perKey),
        ],
      ],
    };
  },
};

function assertReply(name: string, reply: Buffer): void {
  const { results } = fromBinary(BatchVerifyKeysResponseSchema, reply);
  const allowed = results.filter(
    ({ outcome }) => outcome.case === "response" && outcome.value.reason === Reason.ALLOWED,
  );
  if (allowed.length !== BATCH) throw new Error(`${name}: allowed ${allowed.length} of ${BATCH} keys`);
}
