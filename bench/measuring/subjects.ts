import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LaneSpec } from "../generator/lane.ts";
import { framed } from "../requests/grpc-frame.ts";
import { call } from "./checked-call.ts";
import { generate } from "./generate.ts";
import { assertReplySize, CONNECTIONS, runH2load, STREAMS } from "./h2load.ts";
import type { Subject } from "./rounds.ts";

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  readonly path: string;
  /** Throws unless this is the right reply. */
  readonly assertReply: (name: string, reply: Buffer) => void;
}

/** One and the same call, made by h2load. */
export function oneCall(
  target: Target & {
    readonly message: Uint8Array;
    readonly connections?: number;
    /** In the reply; 1 if not given. */
    readonly decisions?: number;
    /** For the body that h2load sends. */
    readonly directory: string;
  },
): Subject {
  const { name, pid, address, path, message, connections, decisions = 1, assertReply } = target;
  const bodyFile = join(target.directory, `${name.replaceAll(/\W+/g, "-")}.body`);
  writeFileSync(bodyFile, framed(message));
  let goodReply = Number.NaN;
  return {
    name,
    pid,
    async check() {
      const reply = await call(address, path, message);
      assertReply(name, reply);
      goodReply = framed(reply).length;
    },
    async load(seconds) {
      const result = await runH2load({
        address,
        path,
        bodyFile,
        seconds,
        ...(connections && { connections }),
      });
      assertReplySize(name, result, goodReply, decisions);
      return result.requests;
    },
  };
}

/** Calls that differ, made by the generator, which looks at every reply. */
export function manyCalls(
  target: Target & {
    /** Sent to be checked apart. */
    readonly message: Uint8Array;
    /** What to send in so many seconds; asked before each load. */
    readonly bodies: (seconds: number) => LaneSpec["bodies"];
  },
): Subject {
  const { name, pid, address, path, message, assertReply, bodies } = target;
  let replyStart = "";
  return {
    name,
    pid,
    async check() {
      const reply = await call(address, path, message);
      assertReply(name, reply);
      replyStart = startOf(reply);
    },
    async load(seconds) {
      const lane = { address, path, bodies: bodies(seconds), connections: CONNECTIONS, streams: STREAMS };
      const [result] = await generate([{ ...lane, seconds, replyStart }]);
      return result?.requests ?? Number.NaN;
    },
  };
}

/** The first bytes of a reply, in hexadecimal: of a VerifyKeyResponse `allowed` and `reason`, as a denial has only that. */
export function startOf(reply: Buffer): string {
  return reply.subarray(0, 4).toString("hex");
}
