import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { FieldViolation } from "../../src/domain/keywarden-error.ts";
import { Status, type StatusName } from "../../src/domain/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { type Status as RpcStatus, StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";

/** What a call ended with. */
export interface Answer {
  readonly status: StatusName | undefined;
  readonly message: string;
  readonly reason: string;
  readonly domain: string;
  readonly violations: readonly FieldViolation[];
  /** Of a call that ended with OK. */
  readonly response: Uint8Array;
}

const DEADLINE_MS = 20_000;

/** Calls with whatever bytes, whether they are a message or not. */
export class RawClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  }

  call(path: string, request: Uint8Array, token: string | undefined): Promise<Answer> {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    const asIs = (bytes: Buffer) => bytes;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        Buffer.from(request),
        metadata,
        { deadline: Date.now() + DEADLINE_MS },
        (error, response) => {
          const details = error?.metadata?.get("grpc-status-details-bin")[0];
          const failure = details instanceof Buffer ? fromBinary(StatusSchema, details) : undefined;
          resolve({
            ...answerOf(failure),
            status: statusName(error?.code ?? Status.OK),
            message: error?.details ?? "",
            response: response ?? new Uint8Array(),
          });
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** What a google.rpc.Status says, in a trailer or in a response. */
export function answerOf(failure: RpcStatus | undefined): Answer {
  const details = failure?.details ?? [];
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find(Boolean);
  const badRequest = details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
  return {
    status: statusName(failure?.code ?? Status.OK),
    message: failure?.message ?? "",
    reason: info?.reason ?? "",
    domain: info?.domain ?? "",
    violations: badRequest?.fieldViolations ?? [],
    response: new Uint8Array(),
  };
}

function statusName(code: number): StatusName | undefined {
  return (Object.keys(Status) as StatusName[]).find((name) => Status[name] === code);
}
