import type { LaneSpec } from "../generator/lane.ts";
import { generate } from "../measuring/generate.ts";
import { CONNECTIONS, STREAMS } from "../measuring/h2load.ts";
import { median, rotated, spreadOf } from "../measuring/statistics.ts";
import { type Section, spreadText } from "../report/section.ts";
import { VERIFY_KEY } from "../requests/messages.ts";
import type { Experiment } from "./experiment.ts";
import { assertRevoked, revoking } from "./revocations.ts";
import { ALLOWED, inTurn } from "./subjects.ts";

const CALM = "nothing else";
const PACED = "while 100 keys a second are revoked";
const REVOKING = "while 32 callers revoke as fast as they can";
const PACE = 100;

export const tail: Experiment = {
  name: "tail",
  question: "how long verifications take at half of the peak rate, with and without revocations",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.keywarden("large");
    const verifying: LaneSpec = {
      address: server.grpc,
      path: VERIFY_KEY,
      bodies: inTurn(10_000),
      connections: CONNECTIONS,
      streams: STREAMS,
      seconds: bench.seconds,
      replyStart: ALLOWED,
    };
    bench.say("measuring the peak rate");
    await generate([verifying]);
    const [peak] = await generate([verifying]);
    const perSecond = (peak?.requests ?? 0) / (peak?.seconds ?? 1) / 2;

    const seconds = 2 * bench.seconds;
    const verifications = { ...verifying, perSecond, seconds };
    const others = new Map<string, () => readonly LaneSpec[]>([
      [CALM, () => []],
      [PACED, () => [revoking(bench, server, seconds, PACE)]],
      [REVOKING, () => [revoking(bench, server, seconds)]],
    ]);
    const results = new Map<string, { p50: number; p99: number; rate: number }[]>(
      [...others.keys()].map((name) => [name, []]),
    );
    for (let round = 0; round < bench.rounds; round++) {
      for (const [name, lanesOf] of rotated([...others], round)) {
        bench.signal.throwIfAborted();
        const [revocation] = lanesOf();
        const [verified, revoked] = await generate([
          verifications,
          ...(revocation === undefined ? [] : [revocation]),
        ]);
        if (verified === undefined) continue;
        if (revocation !== undefined && revoked !== undefined)
          await assertRevoked(server, revocation, revoked.requests);
        const rate = revoked === undefined ? 0 : revoked.requests / revoked.seconds;
        results.get(name)?.push({ p50: verified.p50, p99: verified.p99, rate });
        bench.say(`round ${round + 1} of ${bench.rounds}: ${name}, p99 ${verified.p99.toFixed(0)} µs`);
      }
    }
    return {
      title: `Latency at half of the peak (${Math.round(perSecond).toLocaleString("en")} calls a second at random instants)`,
      head: ["VerifyKey, cached", "revocations/s", "p50, µs", "p99, µs"],
      rows: [...results].map(([name, rounds]) => [
        name,
        median(rounds.map(({ rate }) => rate)).toFixed(0),
        median(rounds.map(({ p50 }) => p50)).toFixed(0),
        spreadText(spreadOf(rounds.map(({ p99 }) => p99)), 0),
      ]),
    };
  },
};
