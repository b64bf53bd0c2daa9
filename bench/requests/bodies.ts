import { create, toBinary } from "@bufbuild/protobuf";
import { RevokeKeyRequestSchema } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { framed } from "./grpc-frame.ts";
import { benchKeyId, benchToken, unknownToken } from "./keys.ts";
import { verifyKeyMessage } from "./messages.ts";

/** Requests about the keys `first`, `first + 1`, … of `of` keys in a circle. */
export interface BodySpec {
  readonly kind: "verify-key" | "guess-key" | "revoke-key";
  readonly first: number;
  readonly count: number;
  readonly of: number;
  /** Begin again when all were sent; else the lane ends there. */
  readonly repeat: boolean;
}

/** Framed gRPC messages. */
export function bodiesOf({ kind, first, count, of }: BodySpec): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => framed(messageOf(kind, (first + index) % of)));
}

function messageOf(kind: BodySpec["kind"], number: number): Uint8Array {
  switch (kind) {
    case "verify-key":
      return verifyKeyMessage(benchToken(number).reveal());
    case "guess-key":
      return verifyKeyMessage(unknownToken(number).reveal());
    case "revoke-key":
      return toBinary(RevokeKeyRequestSchema, create(RevokeKeyRequestSchema, { keyId: benchKeyId(number) }));
  }
}
