import { connect as connectHttp2 } from "node:http2";
import { describe, expect, test } from "vitest";
import { Status } from "../../src/domain/status.ts";
import {
  bidiMethod,
  echo,
  endOf,
  frame,
  paths,
  rawCall,
  rawHeaders,
  requestBytes,
  say,
  streamMethod,
  type TransportFixture,
} from "./transport-fixture.ts";

const refusal = { status: "ABORTED", reason: "ENOUGH", message: "Enough of this." } as const;

export function describeStreams({ serve, connect }: TransportFixture): void {
  describe("server streams", () => {
    test("messages arrive in order, then the stream ends", async () => {
      const method = streamMethod((call) => {
        for (const part of ["a", "b", "c"]) {
          call.send(say(`${call.request.token} ${part}`));
        }
        call.end();
        call.send(say("too late"));
        call.end();
      });
      const client = connect(await serve(method));
      expect(await endOf(client.stream("x"))).toEqual({ messages: ["x a", "x b", "x c"] });
    });

    test("a stream may fail after messages", async () => {
      const method = streamMethod((call) => {
        call.send(say("one"));
        call.fail(refusal);
        call.send(say("too late"));
      });
      const client = connect(await serve(method));
      const { messages, error } = await endOf(client.stream(""));
      expect(messages).toEqual(["one"]);
      expect(error).toMatchObject({ code: Status.ABORTED, details: "Enough of this." });
      expect(error?.metadata.get("grpc-status-details-bin")).toHaveLength(1);
    });

    test("a handler that throws fails its stream with INTERNAL", async () => {
      const served = await serve(
        streamMethod((call) => {
          call.send(say("one"));
          throw new Error("a secret of the inside");
        }),
        echo,
      );
      const client = connect(served);
      const { messages, error } = await endOf(client.stream(""));
      expect(messages).toEqual(["one"]);
      expect(error?.code).toBe(Status.INTERNAL);
      expect(error?.details).not.toContain("secret");
      expect(served.internalErrors).toHaveLength(1);
      expect(await client.say("still here")).toBe("still here");
    });

    test("a client that cancels is noticed once, and what is sent then goes nowhere", async () => {
      const cancelled = Promise.withResolvers<boolean>();
      let cancellations = 0;
      const method = streamMethod((call) => {
        call.onCancel(() => {
          cancellations += 1;
          call.send(say("too late"));
          call.end();
          cancelled.resolve(call.isOver());
        });
        call.send(say("one"));
      });
      const client = connect(await serve(method, echo));
      const stream = client.stream("");
      stream.on("error", () => {});
      stream.on("data", () => stream.cancel());
      expect(await cancelled.promise).toBe(true);
      expect(await client.say("still here")).toBe("still here");
      expect(cancellations).toBe(1);
    });

    test("an ended stream is not cancelled", async () => {
      let cancellations = 0;
      const method = streamMethod((call) => {
        call.onCancel(() => {
          cancellations += 1;
        });
        call.end();
      });
      const client = connect(await serve(method, echo));
      await endOf(client.stream(""));
      await client.say("");
      expect(cancellations).toBe(0);
    });

    test("a client that does not read is cut off after a bounded number of messages", async () => {
      const sent = Promise.withResolvers<number>();
      const large = say("x".repeat(32 * 1024));
      const method = streamMethod((call) => {
        let count = 0;
        for (; count < 1000 && !call.isOver(); count++) {
          call.send(large);
        }
        sent.resolve(count);
      });
      const client = connect(await serve(method, echo));
      const stream = client.stream("");
      expect(await sent.promise).toBeLessThan(200);
      expect(await client.say("still here")).toBe("still here");
      const { messages, error } = await endOf(stream);
      expect(error?.code).toBe(Status.RESOURCE_EXHAUSTED);
      expect(messages.length).toBeLessThan(200);
    });
  });

  describe("bidirectional streams", () => {
    const echoBidi = bidiMethod((request, call) => call.send(say(request.token)));

    test("each message is answered in order, and the stream ends when the client's does", async () => {
      const client = connect(await serve(echoBidi));
      const stream = client.bidi();
      const tokens = Array.from({ length: 200 }, (_, index) => `token ${index}`);
      for (const token of tokens) {
        stream.write(token);
      }
      stream.end();
      expect(await endOf(stream)).toEqual({ messages: tokens });
    });

    test("an answer does not wait for the client to end", async () => {
      const client = connect(await serve(echoBidi));
      const stream = client.bidi();
      const ask = (token: string) => {
        stream.write(token);
        return new Promise((resolve) => {
          stream.once("data", resolve);
        });
      };
      expect(await ask("a")).toBe("a");
      expect(await ask("b")).toBe("b");
      stream.end();
      expect(await endOf(stream)).toEqual({ messages: [] });
    });

    test("a stream without messages ends with OK", async () => {
      const client = connect(await serve(echoBidi));
      const stream = client.bidi();
      stream.end();
      expect(await endOf(stream)).toEqual({ messages: [] });
    });

    test("a failed stream gets no further messages", async () => {
      const seen: string[] = [];
      const served = await serve(
        bidiMethod((request, call) => {
          seen.push(request.token);
          call.send(say(request.token));
          call.fail(refusal);
        }),
        echo,
      );
      const body = Buffer.concat(["a", "b"].map((token) => frame(requestBytes({ token }))));
      const reply = await rawCall(served.port, body, { ":path": paths.bidi });
      expect(reply.grpcStatus).toBe(Status.ABORTED);
      expect(await connect(served).say("still here")).toBe("still here");
      expect(seen).toEqual(["a"]);
    });

    test("a malformed message fails the stream after the answers before it", async () => {
      const served = await serve(echoBidi, echo);
      const body = Buffer.concat([frame(requestBytes({ token: "good" })), frame(Buffer.from([0x0a, 0x7f]))]);
      const reply = await rawCall(served.port, body, { ":path": paths.bidi });
      expect(reply.grpcStatus).toBe(Status.INVALID_ARGUMENT);
      expect(reply.body.toString()).toContain("good");
      expect(await connect(served).say("still here")).toBe("still here");
    });

    test("a handler that throws fails its stream with INTERNAL", async () => {
      const served = await serve(
        bidiMethod(() => {
          throw new Error("a secret of the inside");
        }),
        echo,
      );
      const client = connect(served);
      const stream = client.bidi();
      stream.write("a");
      const { error } = await endOf(stream);
      expect(error?.code).toBe(Status.INTERNAL);
      expect(error?.details).not.toContain("secret");
      expect(served.internalErrors).toHaveLength(1);
      expect(await client.say("still here")).toBe("still here");
    });

    test("a client that asks without reading waits, and loses nothing", async () => {
      let handled = 0;
      const large = "x".repeat(16 * 1024);
      const served = await serve(
        bidiMethod((request, call) => {
          handled += 1;
          call.send(say(`${request.token} ${large}`));
        }),
        echo,
      );
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      const stream = session.request({ ...rawHeaders, ":path": paths.bidi });
      const asked = 300;
      for (let index = 0; index < asked; index++) {
        stream.write(frame(requestBytes({ token: `${index}` })));
      }
      stream.end();
      await new Promise((resolve) => {
        stream.once("response", resolve);
      });
      expect(await connect(served).say("still here")).toBe("still here");
      expect(handled).toBeLessThan(asked);
      let length = 0;
      stream.on("data", (chunk: Buffer) => {
        length += chunk.length;
      });
      const status = await new Promise((resolve) => {
        stream.once("trailers", (trailers) => resolve(trailers["grpc-status"]));
      });
      session.destroy();
      expect(status).toBe("0");
      expect(handled).toBe(asked);
      expect(length).toBeGreaterThan(asked * large.length);
    });
  });
}
