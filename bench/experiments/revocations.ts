import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import type { KeywardenProcess } from "../../test/support/keywarden-process.ts";
import type { LaneSpec } from "../generator/lane.ts";
import { assertReason, call } from "../measuring/checked-call.ts";
import { treeCpuSeconds } from "../measuring/cpu-time.ts";
import { generate } from "../measuring/generate.ts";
import { CONNECTIONS, STREAMS } from "../measuring/h2load.ts";
import { spreadOf } from "../measuring/statistics.ts";
import { type Section, spreadText } from "../report/section.ts";
import { benchToken } from "../requests/keys.ts";
import { VERIFY_KEY, verifyKeyMessage } from "../requests/messages.ts";
import type { Bench, Experiment } from "./experiment.ts";

const REVOKE_KEY = `/${AdminService.typeName}/${AdminService.method.revokeKey.name}`;
/** A RevokeKeyResponse has a key and nothing else: its first byte is that field's tag. */
const KEY = "0a";
/** More revocations a second than are made here, for which there are keys enough. */
const FASTEST = 5_000;

/** 32 callers, each of whom revokes another key as soon as the last one is revoked; or so many a second. */
export function revoking(
  bench: Bench,
  server: KeywardenProcess,
  seconds: number,
  perSecond?: number,
): LaneSpec {
  const count = Math.ceil(seconds * (perSecond === undefined ? FASTEST : 2 * perSecond));
  return {
    address: server.adminGrpc,
    path: REVOKE_KEY,
    authorization: `Bearer ${server.adminToken}`,
    bodies: { kind: "revoke-key", ...bench.takeKeysToRevoke(count), count, repeat: false },
    connections: CONNECTIONS,
    streams: STREAMS,
    seconds,
    replyStart: KEY,
    ...(perSecond !== undefined && { perSecond }),
  };
}

/** Rejects unless the lane's first and last keys are denied as revoked. */
export async function assertRevoked(
  server: KeywardenProcess,
  { bodies }: LaneSpec,
  revoked: number,
): Promise<void> {
  for (const number of [bodies.first, bodies.first + revoked - 1]) {
    const reply = await call(server.grpc, VERIFY_KEY, verifyKeyMessage(benchToken(number).reveal()));
    assertReason(`key ${number}`, reply, "REVOKED");
  }
}

export const revocations: Experiment = {
  name: "revocations",
  question: "how many keys a second 32 callers can revoke",
  async run(bench): Promise<Section> {
    const server = await bench.fleet.keywarden("large");
    const rates: number[] = [];
    const costs: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      bench.signal.throwIfAborted();
      const lane = revoking(bench, server, bench.seconds);
      const before = treeCpuSeconds(server.pid);
      const [result] = await generate([lane]);
      if (result === undefined) continue;
      costs.push(((treeCpuSeconds(server.pid) - before) / result.requests) * 1e6);
      rates.push(result.requests / result.seconds);
      await assertRevoked(server, lane, result.requests);
      bench.say(`round ${round + 1} of ${bench.rounds}: ${rates.at(-1)?.toFixed(0)} revocations a second`);
    }
    return {
      title: "Revocations, each on disk before it is acknowledged",
      head: ["", "a second", "µs CPU"],
      rows: [["RevokeKey, 32 callers", spreadText(spreadOf(rates), 0), spreadText(spreadOf(costs), 0)]],
    };
  },
};
