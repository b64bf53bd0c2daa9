import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  BatchVerifyKeysRequestSchema,
  VerifyKeyRequestSchema,
  VerifyService,
} from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { CLIENT_IP, REQUIRED_SCOPE } from "./keys.ts";

export const VERIFY_KEY = `/${VerifyService.typeName}/${VerifyService.method.verifyKey.name}`;
export const BATCH_VERIFY_KEYS = `/${VerifyService.typeName}/${VerifyService.method.batchVerifyKeys.name}`;
/** What the reference servers answer. */
export const REFERENCE = "/bench.Reference/Call";

/** A VerifyKeyRequest as a backend sends it, encoded. */
export function verifyKeyMessage(token: string, requiredScope = REQUIRED_SCOPE): Uint8Array {
  return toBinary(VerifyKeyRequestSchema, create(VerifyKeyRequestSchema, request(token, requiredScope)));
}

/** A BatchVerifyKeysRequest of these tokens, encoded. */
export function batchMessage(tokens: readonly string[]): Uint8Array {
  const requests = tokens.map((token) => request(token, REQUIRED_SCOPE));
  return toBinary(BatchVerifyKeysRequestSchema, create(BatchVerifyKeysRequestSchema, { requests }));
}

function request(token: string, requiredScope: string): MessageInitShape<typeof VerifyKeyRequestSchema> {
  return { token, requiredScope, clientIp: CLIENT_IP };
}
