import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { Verdict, Verification, VerifyingCaller, VerifyRequest } from "../../app/verification.ts";
import { invalidArgument, type KeywardenError } from "../../domain/keywarden-error.ts";
import { Status } from "../../domain/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { BatchVerifyKeysResponseSchema, VerifyService } from "../../gen/keywarden/v1/verify_service_pb.ts";
import type { Method, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { ANYONE, type CallerGate, callerAdmission, type Verify } from "./caller-admission.ts";
import { decodeVerifyKeyRequest, decodeVerifyKeyRequests } from "./verify-key-request.ts";
import { encodeVerifyKeyResponse, maxVerifyKeyResponseSize } from "./verify-key-response.ts";
import { VARINT_SIZE, varintSize, writeBytes, writeVarint } from "./wire.ts";

const GREATEST_BATCH = 100;

/** VerifyKey and BatchVerifyKeys, over whatever carries them, for whom the gate lets in. */
export function verifyMethods(verify: Verify, gate: CallerGate = ANYONE): readonly Method[] {
  return [verifyKey(verify, gate), batchVerifyKeys(verify, gate)];
}

/** Over whatever carries it, for whom the gate lets in. */
export function verifyKey(verify: Verify, gate: CallerGate): UnaryMethod<VerifyRequest, Verdict> {
  return {
    kind: "unary",
    path: `/${VerifyService.typeName}/${VerifyService.method.verifyKey.name}`,
    request: { decode: decodeVerifyKeyRequest },
    response: { maxSize: maxVerifyKeyResponseSize, encode: encodeVerifyKeyResponse },
    handle: callerAdmission(VerifyService.method.verifyKey, gate, verify, (call, caller, group) => {
      group.push(new CallVerification(call, caller));
    }),
  };
}

class CallVerification implements Verification {
  readonly caller: VerifyingCaller | null;
  readonly #call: UnaryCall<VerifyRequest, Verdict>;

  constructor(call: UnaryCall<VerifyRequest, Verdict>, caller: VerifyingCaller | null) {
    this.caller = caller;
    this.#call = call;
  }

  get request(): VerifyRequest {
    return this.#call.request;
  }

  get peer(): string {
    return this.#call.peer;
  }

  isOver(): boolean {
    return this.#call.isOver();
  }

  decided(verdict: Verdict): void {
    this.#call.reply(verdict);
  }

  failed(error: KeywardenError): void {
    this.#call.fail(error);
  }
}

/** The same of many tokens at once. */
export function batchVerifyKeys(
  verify: Verify,
  gate: CallerGate,
): UnaryMethod<readonly VerifyRequest[], readonly Outcome[]> {
  return {
    kind: "unary",
    path: `/${VerifyService.typeName}/${VerifyService.method.batchVerifyKeys.name}`,
    request: { decode: decodeVerifyKeyRequests },
    response: { maxSize: maxBatchSize, encode: encodeBatch },
    handle: callerAdmission(VerifyService.method.batchVerifyKeys, gate, verify, (call, caller, group) => {
      group.push(...verificationsOf(call, caller));
    }),
  };
}

/** What became of one item: the whole of a BatchVerifyKeysResult's oneof. */
type Outcome = Verdict | KeywardenError;

function verificationsOf(
  call: UnaryCall<readonly VerifyRequest[], readonly Outcome[]>,
  caller: VerifyingCaller | null,
): Verification[] {
  const { length } = call.request;
  if (length === 0 || length > GREATEST_BATCH) {
    call.fail(
      invalidArgument([{ field: "requests", description: `has ${length} items; 1 to ${GREATEST_BATCH} go` }]),
    );
    return [];
  }
  const outcomes: Outcome[] = Array.from({ length });
  let open = length;
  return call.request.map((request, index) => {
    const settle = (outcome: Outcome) => {
      outcomes[index] = outcome;
      if (--open === 0) call.reply(outcomes);
    };
    return { request, caller, peer: call.peer, isOver: () => call.isOver(), decided: settle, failed: settle };
  });
}

/** Tags of BatchVerifyKeysResponse and BatchVerifyKeysResult. */
const RESULTS = 0x0a;
const RESPONSE = 0x0a;
/** The two tags and lengths around one item. */
const FRAME_SIZE = 2 * (1 + VARINT_SIZE);

function maxBatchSize(outcomes: readonly Outcome[]): number {
  let size = 0;
  for (const outcome of outcomes) {
    size +=
      "decision" in outcome ? FRAME_SIZE + maxVerifyKeyResponseSize(outcome) : encodeError(outcome).length;
  }
  return size;
}

function encodeBatch(outcomes: readonly Outcome[], bytes: Uint8Array, offset: number): number {
  let at = offset;
  for (const outcome of outcomes) {
    at = "decision" in outcome ? writeItem(outcome, bytes, at) : writeBytes(bytes, at, encodeError(outcome));
  }
  return at;
}

/** The response first, behind room for its frame, whose lengths are known only then. */
function writeItem(verdict: Verdict, bytes: Uint8Array, offset: number): number {
  const start = offset + FRAME_SIZE;
  const length = encodeVerifyKeyResponse(verdict, bytes, start) - start;
  const inner = varintSize(length);
  bytes[offset] = RESULTS;
  let at = writeVarint(bytes, offset + 1, 1 + inner + length);
  bytes[at++] = RESPONSE;
  at = writeVarint(bytes, at, length);
  bytes.copyWithin(at, start, start + length);
  return at + length;
}

/** One item of the response's `results`, as a message of its own: repeated fields of joined messages join. */
function encodeError({ status, reason, message, violations }: KeywardenError): Uint8Array {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "keywarden" }))];
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  const error = create(StatusSchema, { code: Status[status], message, details });
  const results = [{ outcome: { case: "error" as const, value: error } }];
  return toBinary(BatchVerifyKeysResponseSchema, create(BatchVerifyKeysResponseSchema, { results }));
}
