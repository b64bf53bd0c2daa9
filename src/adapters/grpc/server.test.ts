import { connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { expect, test, vi } from "vitest";
import { rejectionOf } from "../../../test/support/rejection.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { createHealth } from "./health.ts";
import { dataPlaneLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import { startGrpcServer } from "./server.ts";

async function start(host: string, port: number, limits = dataPlaneLimits) {
  const listener = await listen({ host, port, setting: "--admin-grpc" });
  const server = startGrpcServer({
    listener,
    methods: createHealth([]).methods,
    limits,
    onInternalError: (error) => {
      throw error;
    },
  });
  return { ...server, port: listener.port };
}

test("a port that is taken is named in one line, with what to do", async () => {
  const first = await start("127.0.0.1", 0);
  const { status, reason, message } = await rejectionOf(KeywardenError, start("127.0.0.1", first.port));
  expect([status, reason]).toEqual(["FAILED_PRECONDITION", "PORT_IN_USE"]);
  expect(message).toContain(first.address);
  expect(message).toContain("--admin-grpc 127.0.0.1:0");
  expect(message).not.toContain("\n");
  await first.drain(0);
});

test("who connects before it serves is served once it does", async () => {
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  const session = connect(`http://${listener.address}`);
  await new Promise((resolve) => {
    session.once("connect", resolve);
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.alloc(5));
  stream.resume();
  const server = startGrpcServer({
    listener,
    methods: createHealth([]).methods,
    limits: dataPlaneLimits,
    onInternalError: () => {},
  });
  const trailers = await new Promise<Record<string, unknown>>((resolve) => {
    stream.once("trailers", resolve);
  });
  expect(trailers["grpc-status"]).toBe("0");
  session.destroy();
  await server.drain(0);
});

test("who resets a connection before it serves does no harm", async () => {
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  const socket = connectTcp(listener.port, "127.0.0.1");
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  socket.resetAndDestroy();
  await new Promise((resolve) => {
    socket.once("close", resolve);
  });
  const other = connectTcp(listener.port, "127.0.0.1");
  const server = startGrpcServer({
    listener,
    methods: createHealth([]).methods,
    limits: dataPlaneLimits,
    onInternalError: () => {},
  });
  // The first frame of HTTP/2 from a server: its settings.
  const frame = await new Promise<Buffer>((resolve) => {
    other.once("data", resolve);
  });
  expect(frame.at(3)).toBe(4);
  other.destroy();
  await server.drain(0);
});

test("a port can be taken again after draining", async () => {
  const first = await start("127.0.0.1", 0);
  await first.drain(0);
  const second = await start("127.0.0.1", first.port);
  expect(second).toMatchObject({ port: first.port, address: `127.0.0.1:${first.port}` });
  await second.drain(0);
});

test("an address of another machine is refused by name", async () => {
  // RFC 5737: 192.0.2.0/24 is for documentation.
  const { reason, message } = await rejectionOf(KeywardenError, start("192.0.2.1", 0));
  expect(reason).toBe("CANNOT_LISTEN");
  expect(message).toContain("192.0.2.1:0 (EADDRNOTAVAIL)");
});

test("connections beyond the limit are closed", async () => {
  const server = await start("127.0.0.1", 0, { ...dataPlaneLimits, maxConnections: 1 });
  const open = async () => {
    const socket = connectTcp(server.port, "127.0.0.1");
    const outcome = await Promise.race([
      new Promise<string>((resolve) => {
        socket.once("data", () => resolve("served"));
      }),
      new Promise<string>((resolve) => {
        socket.once("close", () => resolve("closed"));
      }),
    ]);
    return { socket, outcome };
  };
  const first = await open();
  const second = await open();
  expect([first.outcome, second.outcome]).toEqual(["served", "closed"]);
  first.socket.destroy();
  await server.drain(600_000);
});

test("metadata that cannot be read is dropped, and printed nowhere", async () => {
  const printed = vi.spyOn(console, "error").mockReturnValue();
  const server = await start("127.0.0.1", 0);
  const session = connect(`http://${server.address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    authorization: "Bearer kw_live_secr\u00e9t",
  });
  stream.end(Buffer.alloc(5));
  stream.resume();
  await new Promise((resolve) => {
    stream.once("close", resolve);
  });
  session.destroy();
  await server.drain(0);
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});
