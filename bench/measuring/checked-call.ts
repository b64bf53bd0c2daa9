import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { Reason, VerifyKeyResponseSchema } from "../../src/gen/keywarden/v1/verify_service_pb.ts";

const DEADLINE = 10_000;

/** Makes one call by an ordinary client and resolves with the reply as it came. Rejects with grpc-js's error. */
export async function call(address: string, path: string, message: Uint8Array): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes) => bytes,
        message,
        { deadline: Date.now() + DEADLINE },
        (error, reply) =>
          error !== null || reply === undefined ? reject(error ?? new Error("no reply")) : resolve(reply),
      );
    });
  } finally {
    client.close();
  }
}

/** Throws unless this is a VerifyKeyResponse with this reason. */
export function assertReason(name: string, reply: Uint8Array, expected: keyof typeof Reason): void {
  const { reason, message } = fromBinary(VerifyKeyResponseSchema, reply);
  if (reason === Reason[expected]) return;
  const answered = Object.entries(Reason).find(([, number]) => number === reason)?.[0] ?? reason;
  throw new Error(`${name}: answered ${answered} (${message}) and not ${expected}`);
}
