import { create, toBinary } from "@bufbuild/protobuf";
import { Reason, VerifyKeyResponseSchema } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { assertReason } from "../measuring/checked-call.ts";
import type { Subject } from "../measuring/rounds.ts";
import { manyCalls, oneCall, startOf } from "../measuring/subjects.ts";
import type { BodySpec } from "../requests/bodies.ts";
import { benchToken, REQUIRED_SCOPE } from "../requests/keys.ts";
import { REFERENCE, VERIFY_KEY, verifyKeyMessage } from "../requests/messages.ts";
import type { ReferenceName, StoreName } from "../servers/fleet.ts";
import type { Bench } from "./experiment.ts";

const MESSAGE = verifyKeyMessage(benchToken(0).reveal());

/** How the replies begin of a VerifyKey that allows, and of a reference that answers what it was sent. */
export const ALLOWED = Buffer.from(
  toBinary(
    VerifyKeyResponseSchema,
    create(VerifyKeyResponseSchema, { allowed: true, reason: Reason.ALLOWED }),
  ),
).toString("hex");
export const ECHOED = startOf(Buffer.from(MESSAGE));

interface Asked {
  readonly name: string;
  readonly store: StoreName;
  readonly token: string;
  readonly requiredScope?: string;
  readonly expected: keyof typeof Reason;
  /** The usual number if it is not given. */
  readonly connections?: number;
}

/** VerifyKey with one token, by h2load. */
export async function verifyOne(bench: Bench, asked: Asked): Promise<Subject> {
  const { name, store, token, requiredScope = REQUIRED_SCOPE, expected, connections } = asked;
  const server = await bench.fleet.keywarden(store);
  return oneCall({
    name,
    pid: server.pid,
    address: server.grpc,
    path: VERIFY_KEY,
    message: verifyKeyMessage(token, requiredScope),
    assertReply: (subject, reply) => assertReason(subject, reply, expected),
    directory: bench.fleet.directory,
    ...(connections && { connections }),
  });
}

/** VerifyKey with many tokens in turn, by the generator. `message` is checked apart, and must be answered alike. */
export async function verifyMany(
  bench: Bench,
  asked: { name: string; store: StoreName; message?: Uint8Array; expected?: keyof typeof Reason },
  bodies: (seconds: number) => BodySpec,
): Promise<Subject> {
  const { name, store, message = MESSAGE, expected = "ALLOWED" } = asked;
  const server = await bench.fleet.keywarden(store);
  return manyCalls({
    name,
    pid: server.pid,
    address: server.grpc,
    path: VERIFY_KEY,
    message,
    bodies,
    assertReply: (subject, reply) => assertReason(subject, reply, expected),
  });
}

/** A reference under h2load; none if it is not there. */
export async function referenceOne(bench: Bench, name: ReferenceName): Promise<readonly Subject[]> {
  const target = await referenceTarget(bench, name);
  if (target === undefined) return [];
  return [oneCall({ ...target, message: MESSAGE, directory: bench.fleet.directory })];
}

/** A reference under the generator. */
export async function referenceMany(
  bench: Bench,
  name: ReferenceName,
  bodies: BodySpec,
): Promise<readonly Subject[]> {
  const target = await referenceTarget(bench, name);
  return target === undefined ? [] : [manyCalls({ ...target, message: MESSAGE, bodies: () => bodies })];
}

async function referenceTarget(bench: Bench, name: ReferenceName) {
  const server = await bench.fleet.reference(name);
  if (server === undefined) return undefined;
  const assertReply = (subject: string, reply: Buffer) => {
    if (name === "grpc-js + codec") assertReason(subject, reply, "ALLOWED");
    else if (!reply.equals(MESSAGE)) throw new Error(`${subject}: did not answer what it was sent`);
  };
  return { name, pid: server.pid, address: server.address, path: REFERENCE, assertReply };
}

/** The first `count` keys, over and over. */
export function inTurn(count: number): BodySpec {
  return { kind: "verify-key", first: 0, count, of: count, repeat: true };
}
