import { expect } from "vitest";
import { RpcError } from "../../src/cli/rpc-client.ts";

/** What the promise is rejected with: an error of this class. */
export async function rejectionOf<Kind>(
  kind: abstract new (...args: never) => Kind,
  promise: Promise<unknown>,
): Promise<Kind> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  return error as Kind;
}

export function rpcErrorOf(call: Promise<unknown>): Promise<RpcError> {
  return rejectionOf(RpcError, call);
}
