import type { LaneResult } from "../generator/lane.ts";
import { generate } from "../measuring/generate.ts";
import { median, rotated } from "../measuring/statistics.ts";
import type { Section } from "../report/section.ts";
import { REFERENCE, VERIFY_KEY } from "../requests/messages.ts";
import type { ReferenceName } from "../servers/fleet.ts";
import type { Experiment } from "./experiment.ts";
import { ALLOWED, ECHOED, inTurn } from "./subjects.ts";

const VERIFY = "VerifyKey, 10,000 keys in turn, cached";

export const latency: Experiment = {
  name: "latency",
  question: "how long one caller waits who makes one call after the other",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.keywarden("large");
    const targets = [{ name: VERIFY, address: server.grpc, path: VERIFY_KEY, replyStart: ALLOWED }];
    for (const name of ["grpc-js no-op", "grpc-go no-op"] satisfies ReferenceName[]) {
      const reference = await bench.fleet.reference(name);
      if (reference === undefined) continue;
      targets.push({ name, address: reference.address, path: REFERENCE, replyStart: ECHOED });
    }
    const results = new Map<string, LaneResult[]>(targets.map(({ name }) => [name, []]));
    for (let round = 0; round < bench.rounds; round++) {
      for (const { name, ...target } of rotated(targets, round)) {
        bench.signal.throwIfAborted();
        const lane = {
          ...target,
          bodies: inTurn(10_000),
          connections: 1,
          streams: 1,
          seconds: bench.seconds,
        };
        const [result] = await generate([lane]);
        if (result !== undefined) results.get(name)?.push(result);
        bench.say(`round ${round + 1} of ${bench.rounds}: ${name}, p50 ${result?.p50.toFixed(0)} µs`);
      }
    }
    return {
      title: "Latency of one stream, by the generator",
      head: ["", "p50, µs", "p99, µs"],
      rows: [...results].map(([name, rounds]) => [
        name,
        median(rounds.map(({ p50 }) => p50)).toFixed(0),
        median(rounds.map(({ p99 }) => p99)).toFixed(0),
      ]),
    };
  },
};
