// As grpc-js-noop, but with what any service has besides: the request is decoded by protobuf-es, and a reply like that
// to an allowed key is made and encoded.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import {
  Reason,
  type VerifyKeyRequest,
  VerifyKeyRequestSchema,
  type VerifyKeyResponse,
  VerifyKeyResponseSchema,
} from "../src/gen/keywarden/v1/verify_service_pb.ts";
import { benchKey } from "./requests/keys.ts";

const key = benchKey(0);
const expireTime = timestampFromMs(key.expireTime);

function answer(_request: VerifyKeyRequest): VerifyKeyResponse {
  return create(VerifyKeyResponseSchema, {
    allowed: true,
    reason: Reason.ALLOWED,
    message: "allowed",
    httpStatus: 200,
    key: {
      keyId: key.id,
      api: key.api,
      environment: key.environment,
      owner: key.owner,
      displayName: key.displayName,
      scopes: [...key.scopes],
      metadata: { ...key.metadata },
      expireTime,
    },
    decideTime: timestampFromMs(Date.now()),
    revision: 1000n,
  });
}

const server = new Server();
server.register(
  "/bench.Reference/Call",
  (call: ServerUnaryCall<VerifyKeyRequest, VerifyKeyResponse>, respond: sendUnaryData<VerifyKeyResponse>) =>
    respond(null, answer(call.request)),
  (response: VerifyKeyResponse) => Buffer.from(toBinary(VerifyKeyResponseSchema, response)),
  (bytes: Buffer) => fromBinary(VerifyKeyRequestSchema, bytes),
  "unary",
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`127.0.0.1:${port}`);
});
