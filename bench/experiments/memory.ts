import { residentMiB } from "../measuring/cpu-time.ts";
import { generate } from "../measuring/generate.ts";
import { CONNECTIONS, STREAMS } from "../measuring/h2load.ts";
import { goalText, type Section } from "../report/section.ts";
import { VERIFY_KEY } from "../requests/messages.ts";
import { CACHE_SIZE } from "../servers/fleet.ts";
import type { Experiment } from "./experiment.ts";
import { ALLOWED, inTurn } from "./subjects.ts";

/** MiB. */
const GOAL = 300;
/** Seconds; far more than filling the cache takes. */
const PATIENCE = 60;

export const memory: Experiment = {
  name: "memory",
  question: "how much memory a server has with a large store and a full cache",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.restart("large");
    const started = residentMiB(server.pid);
    const lane = {
      address: server.grpc,
      path: VERIFY_KEY,
      connections: CONNECTIONS,
      streams: STREAMS,
      replyStart: ALLOWED,
    };
    await generate([{ ...lane, bodies: { ...inTurn(CACHE_SIZE), repeat: false }, seconds: PATIENCE }]);
    const filled = residentMiB(server.pid);
    await generate([{ ...lane, bodies: inTurn(10_000), seconds: 2 * bench.seconds }]);
    const loaded = residentMiB(server.pid);
    const most = Math.max(filled, loaded);
    return {
      title: "Memory",
      head: ["", "MiB resident", "goal"],
      rows: [
        ["just started, large store", started.toFixed(0)],
        [`${CACHE_SIZE.toLocaleString("en")} keys cached`, filled.toFixed(0)],
        ["after more load", loaded.toFixed(0), goalText({ atMost: GOAL }, most)],
      ],
    };
  },
};
