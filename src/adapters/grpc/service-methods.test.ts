import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { rpcErrorOf } from "../../../test/support/rejection.ts";
import { createRpcClient } from "../../cli/rpc-client.ts";
import { invalidArgument, KeywardenError } from "../../domain/keywarden-error.ts";
import {
  BatchVerifyKeysResponseSchema,
  VerifyKeyResponseSchema,
  VerifyService,
} from "../../gen/keywarden/v1/verify_service_pb.ts";
import type { Call } from "../../ports/transport.ts";
import { dataPlaneLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import { startGrpcServer } from "./server.ts";
import { unaryMethods } from "./service-methods.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A server whose VerifyKey rejects as the token says and else answers with it, and a client of it. */
async function serve(rejections: Readonly<Record<string, unknown>>) {
  const errors: { error: unknown; path: string }[] = [];
  const onInternalError = (error: unknown, path: string) => errors.push({ error, path });
  const methods = unaryMethods(
    VerifyService,
    {
      async verifyKey({ token }, call) {
        if (token in rejections) {
          throw rejections[token];
        }
        return create(VerifyKeyResponseSchema, { message: `${token} ${call.metadata("x-from").join()}` });
      },
      async batchVerifyKeys({ requests }) {
        return create(BatchVerifyKeysResponseSchema, { results: requests.map(() => ({})) });
      },
    },
    { contextOf: (call: Call) => call, onInternalError },
  );
  const server = startGrpcServer({
    methods,
    listener: await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" }),
    limits: dataPlaneLimits,
    onInternalError,
  });
  const client = createRpcClient(VerifyService, server.address, {
    deadlineMs: 10_000,
    metadata: () => ({ "x-from": "a test" }),
  });
  closing.push(
    () => client.close(),
    () => server.drain(0),
  );
  return { client, errors };
}

test("each method of a service is answered by its function", async () => {
  const { client, errors } = await serve({});
  expect(await client.verifyKey({ token: "hello from" })).toMatchObject({ message: "hello from a test" });
  expect((await client.batchVerifyKeys({ requests: [{}, {}] })).results).toHaveLength(2);
  expect(errors).toEqual([]);
});

test("a KeywardenError reaches the caller with status, reason, message and violations", async () => {
  const violations = [{ field: "token", description: "must be shorter" }];
  const { client, errors } = await serve({ wrong: invalidArgument(violations) });
  const error = await rpcErrorOf(client.verifyKey({ token: "wrong" }));
  expect(error).toMatchObject({
    status: "INVALID_ARGUMENT",
    reason: "INVALID_FIELDS",
    message: "token: must be shorter",
    violations,
  });
  expect(errors).toEqual([]);
});

test("what caused a KeywardenError is reported, and stays off the wire", async () => {
  const unavailable = new KeywardenError({
    status: "UNAVAILABLE",
    reason: "STORE_UNAVAILABLE",
    message: "The store cannot be asked.",
    cause: new Error("disk secret"),
  });
  const { client, errors } = await serve({ wrong: unavailable });
  const error = await rpcErrorOf(client.verifyKey({ token: "wrong" }));
  expect(error).toMatchObject({ status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" });
  expect(error.message).toBe("The store cannot be asked.");
  expect(errors).toEqual([{ error: unavailable, path: "/keywarden.v1.VerifyService/VerifyKey" }]);
});

test("any other error is INTERNAL without a word of what it was, and the next call is answered", async () => {
  const bug = new TypeError("inner secret");
  const { client, errors } = await serve({ wrong: bug });
  const error = await rpcErrorOf(client.verifyKey({ token: "wrong" }));
  expect(error).toMatchObject({ status: "INTERNAL", reason: "INTERNAL", violations: [] });
  expect(error.message).not.toContain("secret");
  expect(errors).toEqual([{ error: bug, path: "/keywarden.v1.VerifyService/VerifyKey" }]);
  expect(await client.verifyKey({ token: "next" })).toMatchObject({ message: "next a test" });
});

test("one failing call does not hold up the others of its turn", async () => {
  const { client } = await serve({ wrong: new Error("x") });
  const tokens = ["a", "wrong", "b"];
  const outcomes = await Promise.allSettled(tokens.map((token) => client.verifyKey({ token })));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
