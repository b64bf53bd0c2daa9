import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Status } from "../../src/domain/status.ts";
import {
  echo,
  failureOf,
  frame,
  paths,
  rawCall,
  rawHeaders,
  requestBytes,
  type TransportFixture,
} from "./transport-fixture.ts";

const good = requestBytes({ token: "good" });
const { OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL } = Status;

/** A body, headers that differ from a good call's, and the status. */
type HostileCall = [name: string, body: Buffer, status: number, headers?: OutgoingHttpHeaders];

const messages: HostileCall[] = [
  ["a message that is no protobuf", frame(Buffer.from("not protobuf at all")), INVALID_ARGUMENT],
  ["a field that ends too early", frame(Buffer.from([0x0a, 0x10, 0x61])), INVALID_ARGUMENT],
  ["a tag without a value", frame(Buffer.from([0x0a])), INVALID_ARGUMENT],
  ["field number zero", frame(Buffer.from([0x02, 0x01, 0x61])), INVALID_ARGUMENT],
  ["a wire type that does not exist", frame(Buffer.from([0x0f, 0x01])), INVALID_ARGUMENT],
  ["a varint that does not end", frame(Buffer.alloc(20, 0xff)), INVALID_ARGUMENT],
  ["invalid UTF-8 in a string", frame(Buffer.from([0x0a, 0x02, 0xc3, 0x28])), INVALID_ARGUMENT],
  ["bytes after a good message", frame(Buffer.concat([good, Buffer.from([0xff])])), INVALID_ARGUMENT],
  ["groups nested without end", frame(Buffer.alloc(60_000, 0xa3)), INVALID_ARGUMENT],
  ["a frame that promises 4 GiB", frame(good, 0, 0xffffffff), RESOURCE_EXHAUSTED],
  ["a message of one byte too many", frame(Buffer.alloc(64 * 1024 + 1)), RESOURCE_EXHAUSTED],
  ["a frame that ends too early", frame(good, 0, good.length + 1), UNIMPLEMENTED],
  ["half a frame head", Buffer.from([0, 0, 0]), UNIMPLEMENTED],
  ["no message", Buffer.alloc(0), UNIMPLEMENTED],
  ["two messages", Buffer.concat([frame(good), frame(good)]), UNIMPLEMENTED],
  ["gzip that is none", frame(good, 1), INTERNAL, { "grpc-encoding": "gzip" }],
  [
    "gzip that grows beyond the limit",
    frame(gzipSync(Buffer.alloc(10_000_000)), 1),
    RESOURCE_EXHAUSTED,
    { "grpc-encoding": "gzip" },
  ],
  ["an unknown compression", frame(good, 1), UNIMPLEMENTED, { "grpc-encoding": "made-up" }],
  ["an unreadable deadline", frame(good), INTERNAL, { "grpc-timeout": "soon" }],
  ["an unknown method", frame(good), UNIMPLEMENTED, { ":path": "/test.Echo/Nothing" }],
  ["an unknown service", frame(good), UNIMPLEMENTED, { ":path": "/nothing.Nothing/Unary" }],
  ["a path without parts", frame(good), UNIMPLEMENTED, { ":path": "/" }],
  ["a path of another case", frame(good), UNIMPLEMENTED, { ":path": paths.unary.toLowerCase() }],
  ["a path with percent signs", frame(good), UNIMPLEMENTED, { ":path": "/%00/%zz" }],
  ["a path with bytes beyond ASCII", frame(good), UNIMPLEMENTED, { ":path": "/sch\u00fcssel/\u00ff" }],
  ["a path of 8 KiB", frame(good), UNIMPLEMENTED, { ":path": `/${"x".repeat(8192)}` }],
  ["a GET without a message", Buffer.alloc(0), UNIMPLEMENTED, { ":method": "GET" }],
];

export function describeHostileInput({ serve, connect }: TransportFixture): void {
  describe("hostile input", () => {
    test.each<HostileCall>(messages)(
      "%s gets a status, and the server goes on",
      async (_, body, status, headers) => {
        const served = await serve(echo);
        const client = connect(served);
        expect(await client.say("before")).toBe("before");
        const reply = await rawCall(served.port, body, headers);
        expect(reply.grpcStatus).toBe(status);
        expect(await client.say("after")).toBe("after");
        expect(served.internalErrors).toEqual([]);
      },
    );

    test("a malformed request's caller learns what is wrong, not what was sent", async () => {
      const served = await serve(echo);
      const secret = requestBytes({ token: "c2p_live_secret" });
      const reply = await rawCall(served.port, frame(Buffer.concat([secret, Buffer.from([0x12, 0x7f])])));
      expect(decodeURIComponent(reply.grpcMessage)).toBe(
        "required_scope: ends too early: it says that it is longer than what came",
      );
    });

    test("the largest message that is allowed is served", async () => {
      const served = await serve(echo);
      const token = "x".repeat(64 * 1024 - 4);
      const body = requestBytes({ token });
      expect(body).toHaveLength(64 * 1024);
      expect(await connect(served).say(token)).toBe(token);
      const error = await failureOf(connect(served).say(`${token}y`));
      expect(error.code).toBe(RESOURCE_EXHAUSTED);
    });

    test("unknown fields are passed over", async () => {
      const served = await serve(echo);
      const unknown = Buffer.from([0xfa, 0x7f, 0x03, 1, 2, 3, 0xf0, 0x7f, 0x01]);
      const reply = await rawCall(served.port, frame(Buffer.concat([unknown, good, unknown])));
      expect(reply.grpcStatus).toBe(OK);
      expect(reply.body.toString()).toContain("good");
    });

    test("a gzipped message within the limit is read", async () => {
      const served = await serve(echo);
      const reply = await rawCall(served.port, frame(gzipSync(good), 1), { "grpc-encoding": "gzip" });
      expect(reply.grpcStatus).toBe(OK);
      expect(reply.body.toString()).toContain("good");
    });

    test.each(["text/plain", "application/json", undefined])(
      "content type %s is refused",
      async (contentType) => {
        const served = await serve(echo);
        const reply = await rawCall(served.port, frame(good), { "content-type": contentType });
        expect(reply.httpStatus).toBe(415);
        expect(reply.body).toHaveLength(0);
        expect(await connect(served).say("after")).toBe("after");
      },
    );

    test("metadata beyond 64 KiB is refused", async () => {
      const served = await serve(echo);
      const reply = await rawCall(served.port, frame(good), { "x-large": "x".repeat(100_000) });
      expect(reply.grpcStatus).not.toBe(OK);
      expect(reply.body).toHaveLength(0);
      expect(await connect(served).say("after")).toBe("after");
    });

    test("hundreds of metadata fields are refused", async () => {
      const served = await serve(echo);
      const fields = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "x"]));
      const reply = await rawCall(served.port, frame(good), fields);
      expect(reply.grpcStatus).not.toBe(OK);
      expect(reply.body).toHaveLength(0);
      expect(await connect(served).say("after")).toBe("after");
    });

    test.each([
      ["HTTP/1.1", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
      ["bytes that mean nothing", "\u0000\u0001\u0002\u0003 nothing of HTTP/2 is in these bytes"],
      [
        "an HTTP/2 preface and a broken frame",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u007f\u007f\u007f\u0004\u0000\u0000\u0000\u0000\u0000",
      ],
    ])("a connection that speaks %s is closed", async (_, text) => {
      const served = await serve(echo);
      const socket = connectTcp(served.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(text, "latin1");
      socket.resume();
      await new Promise((resolve) => {
        socket.once("close", resolve);
      });
      expect(await connect(served).say("after")).toBe("after");
    });

    test("a connection that is reset in the middle of a call harms nobody", async () => {
      const served = await serve(echo);
      const client = connect(served);
      expect(await client.say("before")).toBe("before");
      const socket = connectTcp(served.port, "127.0.0.1");
      const session = connectHttp2("http://127.0.0.1", { createConnection: () => socket });
      session.on("error", () => {});
      const stream = session.request(rawHeaders);
      stream.on("error", () => {});
      stream.write(frame(good).subarray(0, 7));
      await new Promise((resolve) => {
        session.once("remoteSettings", resolve);
      });
      socket.resetAndDestroy();
      expect(await client.say("after")).toBe("after");
    });

    test("calls that are cancelled as soon as they begin harm nobody", async () => {
      const served = await serve(echo);
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      session.on("error", () => {});
      const closed = Array.from({ length: 500 }, () => {
        const stream = session.request(rawHeaders);
        stream.on("error", () => {});
        stream.write(frame(good));
        stream.close(8);
        return new Promise((resolve) => {
          stream.once("close", resolve);
        });
      });
      await Promise.all(closed);
      session.destroy();
      expect(await connect(served).say("after")).toBe("after");
    });
  });
}
