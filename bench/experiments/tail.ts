import type { KeywardenProcess } from "../../test/support/keywarden-process.ts";
import type { LaneSpec } from "../generator/lane.ts";
import { generate, peakRate } from "../measuring/generate.ts";
import { CONNECTIONS, STREAMS } from "../measuring/h2load.ts";
import { median, rotated, spreadOf } from "../measuring/statistics.ts";
import { type Section, spreadText } from "../report/section.ts";
import { VERIFY_KEY } from "../requests/messages.ts";
import type { Bench, Experiment } from "./experiment.ts";
import { assertRevoked, revoking } from "./revocations.ts";
import { ALLOWED, inTurn } from "./subjects.ts";

/** Revocations a second beside the verifications; undefined: by 32 callers, as fast as they can. */
const PACES = new Map<string, number | undefined>([
  ["nothing else", 0],
  ["while 100 keys a second are revoked", 100],
  ["while 32 callers revoke as fast as they can", undefined],
]);

interface Round {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** A second. */
  readonly revocations: number;
}

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
    const perSecond = (await peakRate(verifying)) / 2;

    const verifications = { ...verifying, perSecond, seconds: 2 * bench.seconds };
    const rounds = new Map<string, Round[]>([...PACES.keys()].map((name) => [name, []]));
    for (let round = 0; round < bench.rounds; round++) {
      for (const [name, pace] of rotated([...PACES], round)) {
        bench.signal.throwIfAborted();
        const measured = await measureRound(bench, server, verifications, pace);
        rounds.get(name)?.push(measured);
        bench.say(`round ${round + 1} of ${bench.rounds}: ${name}, p99 ${measured.p99.toFixed(0)} µs`);
      }
    }
    return {
      title: `Latency at half of the peak (${Math.round(perSecond).toLocaleString("en")} calls a second at random instants)`,
      head: ["VerifyKey, cached", "revocations/s", "p50, µs", "p99, µs"],
      rows: [...rounds].map(([name, measured]) => [
        name,
        median(measured.map(({ revocations }) => revocations)).toFixed(0),
        median(measured.map(({ p50 }) => p50)).toFixed(0),
        spreadText(spreadOf(measured.map(({ p99 }) => p99)), 0),
      ]),
    };
  },
};

async function measureRound(
  bench: Bench,
  server: KeywardenProcess,
  verifications: LaneSpec,
  pace: number | undefined,
): Promise<Round> {
  const lane = pace === 0 ? undefined : revoking(bench, server, verifications.seconds, pace);
  const [verified, revoked] = await generate(lane === undefined ? [verifications] : [verifications, lane]);
  if (lane !== undefined && revoked !== undefined) await assertRevoked(server, lane, revoked.requests);
  return {
    p50: verified?.p50 ?? Number.NaN,
    p99: verified?.p99 ?? Number.NaN,
    revocations: revoked === undefined ? 0 : revoked.requests / revoked.seconds,
  };
}
