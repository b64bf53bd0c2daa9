import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { Status } from "../../domain/status.ts";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { ServerStreamMethod } from "../../ports/transport.ts";
import { createHealth } from "./health.ts";
import { dataPlaneLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import { startGrpcServer } from "./server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const serialize = (service: string) =>
  Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));
const deserialize = (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes).status;

async function serve() {
  const health = createHealth(["test.A", "test.B"]);
  const server = startGrpcServer({
    methods: health.methods,
    listener: await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" }),
    limits: dataPlaneLimits,
    onInternalError: (error) => {
      throw error;
    },
  });
  const client = new Client(server.address, credentials.createInsecure());
  closing.push(
    () => client.close(),
    () => server.drain(0),
  );
  return {
    health,
    server,
    check(service: string): Promise<number> {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        serialize,
        deserialize,
        service,
        (error, status) => (error === null ? resolve(status ?? -1) : reject(error)),
      );
      return promise;
    },
    watch(service: string) {
      const stream = client.makeServerStreamRequest(
        "/grpc.health.v1.Health/Watch",
        serialize,
        deserialize,
        service,
      );
      const received: AsyncIterator<number> = stream[Symbol.asyncIterator]();
      return { stream, next: async () => (await received.next()).value as number };
    },
  };
}

test("Check says whether the whole server and each service serve", async () => {
  const { health, check } = await serve();
  expect(await check("")).toBe(Serving.NOT_SERVING);
  health.set(true);
  expect(await Promise.all(["", "test.A", "test.B"].map(check))).toEqual(Array(3).fill(Serving.SERVING));
  health.set(false);
  expect(await check("test.A")).toBe(Serving.NOT_SERVING);
});

test("Check of an unknown service is NOT_FOUND", async () => {
  const { health, check } = await serve();
  health.set(true);
  await expect(check("test.C")).rejects.toMatchObject({ code: Status.NOT_FOUND });
});

test("Watch sends the state at once, and then each change once", async () => {
  const { health, watch } = await serve();
  const { next } = watch("test.A");
  expect(await next()).toBe(Serving.NOT_SERVING);
  health.set(true);
  health.set(true);
  expect(await next()).toBe(Serving.SERVING);
  health.set(false);
  expect(await next()).toBe(Serving.NOT_SERVING);
});

test("Watch of an unknown service says SERVICE_UNKNOWN, and stays open", async () => {
  const { health, watch } = await serve();
  const unknown = watch("test.C");
  const known = watch("");
  expect(await unknown.next()).toBe(Serving.SERVICE_UNKNOWN);
  expect(await known.next()).toBe(Serving.NOT_SERVING);
  health.set(true);
  expect(await known.next()).toBe(Serving.SERVING);
  expect(unknown.stream.destroyed).toBe(false);
  unknown.stream.on("error", () => {});
  unknown.stream.cancel();
});

test("who stops watching is forgotten, and an unknown service has no changes", () => {
  const health = createHealth(["test.A"]);
  const watch = health.methods.find(({ kind }) => kind === "server-stream") as ServerStreamMethod;
  const sent: Record<string, number[]> = { "test.A": [], "": [], "test.C": [] };
  const cancel: Record<string, () => void> = {};
  for (const service of Object.keys(sent)) {
    watch.handle({
      request: create(HealthCheckRequestSchema, { service }),
      deadline: Number.POSITIVE_INFINITY,
      peer: "",
      certificateNames: [],
      metadata: () => [],
      isOver: () => false,
      send: (response) => sent[service]!.push((response as HealthCheckResponse).status),
      end: () => {},
      fail: () => {},
      onCancel: (callback) => {
        cancel[service] = callback;
      },
    });
  }
  cancel["test.A"]!();
  health.set(true);
  expect(sent).toEqual({
    "test.A": [Serving.NOT_SERVING],
    "": [Serving.NOT_SERVING, Serving.SERVING],
    "test.C": [Serving.SERVICE_UNKNOWN],
  });
});

test("at shutdown who watches gets NOT_SERVING and an end, and draining does not wait for them", async () => {
  const { health, server, watch, check } = await serve();
  health.set(true);
  const { next } = watch("");
  expect(await next()).toBe(Serving.SERVING);
  health.shutDown();
  health.set(true);
  expect(await check("")).toBe(Serving.NOT_SERVING);
  expect(await next()).toBe(Serving.NOT_SERVING);
  await expect(next()).rejects.toMatchObject({ code: Status.UNAVAILABLE });
  const late = watch("test.A");
  expect(await late.next()).toBe(Serving.NOT_SERVING);
  const error = await late.next().catch((reason: ServiceError) => reason);
  expect(error).toMatchObject({ code: Status.UNAVAILABLE });
  await server.drain(600_000);
});
