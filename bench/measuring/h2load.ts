import { runOnLoadCore } from "./children.ts";

/** The load of every comparison: connections, and calls open at once on each. */
export const CONNECTIONS = 4;
export const STREAMS = 8;

export interface H2loadOptions {
  readonly address: string;
  readonly path: string;
  /** A file with the framed message that every request has as its body. */
  readonly bodyFile: string;
  readonly seconds: number;
  /** The usual number if it is not given. */
  readonly connections?: number;
}

export interface H2loadResult {
  readonly requests: number;
  /** Bytes of response bodies, over all requests. */
  readonly replyBytes: number;
}

/** Sends the same call as fast as answers come. Rejects if any request failed below gRPC; see `assertReplySize`. */
export async function runH2load(options: H2loadOptions): Promise<H2loadResult> {
  const { address, path, bodyFile, seconds, connections = CONNECTIONS } = options;
  const output = await runOnLoadCore("h2load", [
    `--duration=${seconds}`,
    `--clients=${connections}`,
    `--max-concurrent-streams=${STREAMS}`,
    "--header=content-type: application/grpc",
    "--header=te: trailers",
    `--data=${bodyFile}`,
    `http://${address}${path}`,
  ]);
  return parseH2load(output);
}

/** Reads h2load's summary. Throws if it isn't there, or tells of requests that failed. */
export function parseH2load(output: string): H2loadResult {
  const requests = /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored/m.exec(output);
  const traffic = /^traffic: .*\((\d+)\) data/m.exec(output);
  if (requests === null || traffic === null) throw new Error(`h2load's output has no summary:\n${output}`);
  const [, done, , failed, errored] = requests.map(Number);
  if (done === undefined || done === 0) throw new Error(`h2load got no answer:\n${output}`);
  if (failed !== 0 || errored !== 0)
    throw new Error(`h2load had ${failed} failed and ${errored} broken requests`);
  return { requests: done, replyBytes: Number(traffic[1]) };
}

/** By so many bytes a decision may differ from another good one: times and counts in it vary in length. */
const TOLERANCE = 12;

/**
 * h2load counts HTTP 200, which a gRPC error is too. So the mean reply must be as long as a good one was, both with
 * their gRPC frame; denials, errors and allows differ by more than the tolerance. `decisions`: in one reply.
 */
export function assertReplySize(name: string, result: H2loadResult, good: number, decisions: number): void {
  const mean = result.replyBytes / result.requests;
  if (Math.abs(mean - good) > TOLERANCE * decisions) {
    throw new Error(
      `${name}: the replies under load had ${mean.toFixed(1)} bytes each; a good one has ${good}`,
    );
  }
}
