import { performance } from "node:perf_hooks";
import { quantile } from "../measuring/statistics.ts";
import { type BodySpec, bodiesOf } from "../requests/bodies.ts";
import { headerBlocks } from "./header-blocks.ts";
import { Http2Connection } from "./http2-connection.ts";

/** One kind of call that a generator makes; several run side by side. */
export interface LaneSpec {
  /** Host and port; the host is this machine. */
  readonly address: string;
  readonly path: string;
  /** A credential for the admin plane. */
  readonly authorization?: string;
  readonly bodies: BodySpec;
  readonly connections: number;
  /** Calls open at once on each connection. */
  readonly streams: number;
  /** Calls a second at random instants (a Poisson process), however late answers are; none: as fast as they come. */
  readonly perSecond?: number;
  /** Leaves the core to others for a millisecond between bunches of calls, which are then due when they are sent. */
  readonly rests?: boolean;
  readonly seconds: number;
  /** What every reply's message begins with, in hexadecimal. */
  readonly replyStart: string;
}

export interface LaneResult {
  readonly requests: number;
  /** Replies that were not as expected, errors included. */
  readonly wrong: number;
  /** From the first call to the last reply. */
  readonly seconds: number;
  /** Microseconds from when a call was due until its reply was there. */
  readonly p50: number;
  readonly p99: number;
}

/** Of open calls that never end, the lane waits no longer than this, in milliseconds. */
const PATIENCE = 10_000;
const FRAME_SIZE = 5;

/** Runs one lane to its end. Rejects if a connection is lost or answers stay out. */
export function runLane(spec: LaneSpec): Promise<LaneResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LaneResult>();
  const bodies = bodiesOf(spec.bodies);
  const replyStart = Buffer.from(spec.replyStart, "hex");
  const dueTimes: number[] = [];
  const latencies: number[] = [];
  let wrong = 0;
  let sent = 0;
  const begin = performance.now();
  const end = begin + spec.seconds * 1000;

  const hasMore = () => performance.now() < end && (spec.bodies.repeat || sent < bodies.length);
  const send = (connection: Http2Connection, due: number): void => {
    const body = bodies[sent % bodies.length];
    if (body === undefined) throw new RangeError("a lane needs at least one body");
    dueTimes[sent] = due;
    connection.send(body, sent++);
  };
  const connections = Array.from({ length: spec.connections }, () => {
    const connection: Http2Connection = new Http2Connection(
      Number(spec.address.split(":").at(-1)),
      headerBlocks(headersOf(spec)),
      (tag, reply) => {
        const now = performance.now();
        latencies.push((now - (dueTimes[tag] ?? now)) * 1000);
        if (!isExpected(reply, replyStart)) wrong++;
        if (spec.perSecond === undefined && hasMore()) send(connection, now);
        else if (!hasMore() && latencies.length === sent) finish();
      },
      reject,
    );
    return connection;
  });
  const impatience = setTimeout(
    () => reject(new Error(`${sent - latencies.length} of ${sent} calls were not answered`)),
    spec.seconds * 1000 + PATIENCE,
  );

  function finish(): void {
    clearTimeout(impatience);
    for (const connection of connections) connection.close();
    resolve({
      requests: latencies.length,
      wrong,
      seconds: (performance.now() - begin) / 1000,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
    });
  }

  if (spec.perSecond === undefined) {
    for (const connection of connections) {
      for (let stream = 0; stream < spec.streams && hasMore(); stream++) send(connection, performance.now());
      connection.flush();
    }
    return promise;
  }

  const meanGap = 1000 / spec.perSecond;
  const dueTime = spec.rests === true ? (_due: number, now: number) => now : (due: number) => due;
  const next = spec.rests === true ? (again: () => void) => setTimeout(again, 1) : setImmediate;
  let due = begin;
  // Spins instead of sleeping, as a timer's millisecond would send calls in bunches. The core is its own.
  const pace = (): void => {
    const now = performance.now();
    for (; due <= now && hasMore(); due -= Math.log(1 - Math.random()) * meanGap) {
      const connection = connections[sent % connections.length];
      if (connection !== undefined) send(connection, dueTime(due, now));
    }
    for (const connection of connections) connection.flush();
    if (hasMore()) next(pace);
    else if (latencies.length === sent) finish();
  };
  pace();
  return promise;
}

function headersOf({ address, path, authorization }: LaneSpec): ReadonlyMap<string, string> {
  const headers = new Map([
    [":path", path],
    [":authority", address],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ]);
  if (authorization !== undefined) headers.set("authorization", authorization);
  return headers;
}

function isExpected(reply: Buffer | undefined, start: Buffer): boolean {
  return reply?.subarray(FRAME_SIZE, FRAME_SIZE + start.length).equals(start) ?? false;
}
