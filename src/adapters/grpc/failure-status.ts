import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import type { FieldViolation } from "../../domain/keywarden-error.ts";
import { Status } from "../../domain/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import type { Failure } from "../../ports/transport.ts";

/** What grpc-js ends a call with. */
export interface FailureStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

// Clients built on gRPC's C core and on Netty refuse trailers beyond 8 KiB, and then nobody sees the error. The
// message is in them twice: percent-encoded, and in base64 within the details.
const maxMessageLength = 2000;
const maxEncodedMessageLength = 3000;
const maxViolationsBytes = 1500;
const violationOverheadBytes = 8;

/**
 * The failure as gRPC carries it: code, message, and a `grpc-status-details-bin` trailer with google.rpc.Status,
 * which holds ErrorInfo and, if fields are at fault, BadRequest (https://google.aip.dev/193). What is too long is cut.
 */
export function failureStatus(failure: Failure): FailureStatus {
  const code = Status[failure.status];
  const message = cutMessage(failure.message);
  const errorInfo = create(ErrorInfoSchema, { reason: failure.reason, domain: "keywarden" });
  const details: Any[] = [anyPack(ErrorInfoSchema, errorInfo)];
  const fieldViolations = firstViolations(failure);
  if (fieldViolations.length > 0) {
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  const metadata = new Metadata();
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  metadata.set("grpc-status-details-bin", Buffer.from(status.buffer, status.byteOffset, status.byteLength));
  return { code, details: message, metadata };
}

/** Well-formed (grpc-js throws on a lone surrogate), and short in its percent-encoded form too. */
function cutMessage(message: string): string {
  let cut = message.slice(0, maxMessageLength).toWellFormed();
  while (encodeURI(cut).length > maxEncodedMessageLength) {
    cut = cut.slice(0, Math.floor(cut.length / 2)).toWellFormed();
  }
  return cut;
}

function firstViolations({ violations = [] }: Failure): FieldViolation[] {
  const first: FieldViolation[] = [];
  let bytes = 0;
  for (const { field, description } of violations) {
    bytes += Buffer.byteLength(field) + Buffer.byteLength(description) + violationOverheadBytes;
    if (bytes > maxViolationsBytes) {
      break;
    }
    first.push({ field, description });
  }
  return first;
}
