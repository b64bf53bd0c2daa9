import { connect as connectHttp2 } from "node:http2";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { Status } from "../../src/domain/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { VerifyKeyResponseSchema } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import {
  type EchoCall,
  echo,
  failing,
  failureOf,
  frame,
  paths,
  rawCall,
  rawHeaders,
  refusal,
  requestBytes,
  say,
  type TransportFixture,
  unaryMethod,
} from "./transport-fixture.ts";

export function describeUnary({ serve, connect }: TransportFixture): void {
  describe("unary calls", () => {
    test("a call is answered with what its handler replied", async () => {
      const client = connect(await serve(echo));
      expect(await client.say("hello, wörld")).toBe("hello, wörld");
      expect(await client.say("")).toBe("");
    });

    test("calls that arrive in one turn reach the handler together, in order", async () => {
      const groups: string[][] = [];
      const served = await serve(
        unaryMethod((calls) => {
          groups.push(calls.map((call) => call.request.token));
          for (const call of calls) {
            call.reply(say(call.request.token));
          }
        }),
      );
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      const tokens = Array.from({ length: 32 }, (_, index) => `token ${index}`);
      await Promise.all(
        tokens.map((token) => {
          const stream = session.request(rawHeaders);
          stream.end(frame(requestBytes({ token })));
          stream.resume();
          return new Promise((resolve) => {
            stream.once("close", resolve);
          });
        }),
      );
      session.destroy();
      expect(groups.flat()).toEqual(tokens);
      expect(groups.length).toBeLessThanOrEqual(4);
    });

    test("methods are grouped apart", async () => {
      const seen: string[] = [];
      const other = { ...unaryMethod((calls) => reply(calls, "other")), path: "/test.Other/Unary" };
      const served = await serve(
        unaryMethod((calls) => reply(calls, "echo")),
        other,
      );
      function reply(calls: readonly EchoCall[], name: string): void {
        for (const call of calls) {
          seen.push(`${name} ${call.request.token}`);
          call.reply(say(name));
        }
      }
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      const ask = (path: string, token: string) => {
        const stream = session.request({ ...rawHeaders, ":path": path });
        stream.end(frame(requestBytes({ token })));
        stream.resume();
        return new Promise((resolve) => {
          stream.once("close", resolve);
        });
      };
      await Promise.all([ask(paths.unary, "a"), ask("/test.Other/Unary", "b"), ask(paths.unary, "c")]);
      session.destroy();
      expect(seen.toSorted()).toEqual(["echo a", "echo c", "other b"]);
    });

    test("calls may be answered later, and in any order", async () => {
      const held: EchoCall[] = [];
      const { promise: both, resolve } = Promise.withResolvers<void>();
      const client = connect(
        await serve(
          unaryMethod((calls) => {
            held.push(...calls);
            if (held.length === 2) {
              resolve();
            }
          }),
        ),
      );
      const answers = [client.say("a"), client.say("b")];
      await both;
      for (const call of held.toReversed()) {
        call.reply(say(`late ${call.request.token}`));
      }
      expect(await Promise.all(answers)).toEqual(["late a", "late b"]);
    });

    test("only the first answer counts", async () => {
      const over: boolean[] = [];
      const client = connect(
        await serve(
          unaryMethod(([call]) => {
            over.push(call!.isOver());
            call!.reply(say("first"));
            over.push(call!.isOver());
            call!.reply(say("second"));
            call!.fail(refusal);
          }),
        ),
      );
      expect(await client.say("")).toBe("first");
      expect(over).toEqual([false, true]);
    });

    test("a failure arrives with its status, message, reason and violations", async () => {
      const violations = [{ field: "key.owner", description: "must not be empty" }];
      const client = connect(await serve(failing({ ...refusal, violations })));
      const error = await failureOf(client.say(""));
      expect(error).toMatchObject({ code: Status.FAILED_PRECONDITION, details: "Not like this." });
      const status = fromBinary(StatusSchema, error.metadata.get("grpc-status-details-bin")[0] as Buffer);
      expect(status).toMatchObject({ code: Status.FAILED_PRECONDITION, message: "Not like this." });
      expect(anyUnpack(status.details[0]!, ErrorInfoSchema)).toMatchObject({
        reason: "NOT_LIKE_THIS",
        domain: "keywarden",
      });
      expect(anyUnpack(status.details[1]!, BadRequestSchema)?.fieldViolations).toMatchObject(violations);
    });

    test("a failure without violations carries no BadRequest", async () => {
      const client = connect(await serve(failing(refusal)));
      const error = await failureOf(client.say(""));
      const status = fromBinary(StatusSchema, error.metadata.get("grpc-status-details-bin")[0] as Buffer);
      expect(status.details.map(({ typeUrl }) => typeUrl)).toEqual([
        "type.googleapis.com/google.rpc.ErrorInfo",
      ]);
    });

    test.each([
      ["in any script", "Schlüssel ключ 鍵 🔑", "Schlüssel ключ 鍵 🔑"],
      ["with line breaks, percent signs and quotes", 'a\r\nb %41 100% "x"', 'a\r\nb %41 100% "x"'],
      ["that is not well-formed, repaired", "a\ud83db", "a\ufffdb"],
      ["that is long, cut", "x".repeat(10_000), "x".repeat(2000)],
    ])("a failure's message arrives %s", async (_, message, received) => {
      const client = connect(await serve(failing({ ...refusal, message })));
      expect((await failureOf(client.say(""))).details).toBe(received);
    });

    test("the longest failure stays within the 8 KiB of trailers that clients accept", async () => {
      const violations = Array.from({ length: 100 }, (_, index) => ({
        field: `field_${index}`,
        description: "鍵".repeat(90),
      }));
      const message = "🔑".repeat(5000);
      const client = connect(await serve(failing({ ...refusal, message, violations })));
      const error = await failureOf(client.say(""));
      const details = error.metadata.get("grpc-status-details-bin")[0] as Buffer;
      expect(message.startsWith(error.details)).toBe(true);
      expect(encodeURI(error.details).length + details.toString("base64").length).toBeLessThan(8000);
    });

    test("a handler that throws fails the unanswered calls only, is reported, and is called again", async () => {
      let throwing = true;
      const served = await serve(
        unaryMethod((calls) => {
          for (const call of calls) {
            call.reply(say(call.request.token));
            if (throwing) {
              throw new Error("a secret of the inside");
            }
          }
        }),
      );
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      const statuses = await Promise.all(
        ["answered", "unanswered"].map((token) => {
          const stream = session.request(rawHeaders);
          stream.end(frame(requestBytes({ token })));
          stream.resume();
          return new Promise((resolve) => {
            stream.once("response", (headers) => resolve(headers["grpc-status"] ?? "0"));
          });
        }),
      );
      session.destroy();
      expect(statuses[0]).toBe("0");
      expect(served.internalErrors[0]).toMatchObject({ message: "a secret of the inside" });
      throwing = false;
      expect(await connect(served).say("again")).toBe("again");
    });

    test("a caller learns nothing of what a handler threw", async () => {
      const served = await serve(
        unaryMethod(() => {
          throw new Error("a secret of the inside");
        }),
      );
      const error = await failureOf(connect(served).say(""));
      expect(error.code).toBe(Status.INTERNAL);
      expect(JSON.stringify([error.details, error.metadata.toJSON()])).not.toContain("secret");
      expect(served.internalErrors).toHaveLength(1);
    });

    test("a response that cannot be encoded fails its own call only", async () => {
      const broken = {
        ...echo,
        response: {
          maxSize: () => 10,
          encode(): number {
            throw new RangeError("too big");
          },
        },
      };
      const served = await serve(broken);
      const client = connect(served);
      expect((await failureOf(client.say("a"))).code).toBe(Status.INTERNAL);
      expect((await failureOf(client.say("b"))).code).toBe(Status.INTERNAL);
      expect(served.internalErrors).toMatchObject([{ message: "too big" }, { message: "too big" }]);
    });

    test("a response shorter than its upper bound arrives as it is", async () => {
      const text = Buffer.from(toBinary(VerifyKeyResponseSchema, say("short")));
      const roomy = {
        ...echo,
        response: {
          maxSize: () => text.length + 100,
          encode: (_: unknown, bytes: Uint8Array, offset: number) => {
            bytes.set(text, offset);
            return offset + text.length;
          },
        },
      };
      const served = await serve(roomy);
      const reply = await rawCall(served.port, frame(requestBytes({})));
      expect(reply.body).toEqual(frame(text));
    });

    test("metadata is found by lower-case name, in order, binary fields left out", async () => {
      const seen: unknown[] = [];
      const client = connect(
        await serve(
          unaryMethod(([call]) => {
            const values = call!.metadata("x-several");
            seen.push(values.join(", "), call!.metadata("x-absent"), call!.metadata("x-secret-bin"));
            seen.push(call!.metadata("authorization"));
            call!.reply(say(""));
          }),
        ),
      );
      const metadata = new Metadata();
      metadata.add("X-Several", "one");
      metadata.add("x-several", "two");
      metadata.add("X-Secret-Bin", Buffer.from("hidden"));
      metadata.add("Authorization", "Bearer x");
      await client.say("", { metadata });
      expect(seen).toEqual(["one, two", [], [], ["Bearer x"]]);
    });

    test("a call knows its peer's address and its deadline", async () => {
      const seen: { peer: string; deadline: number }[] = [];
      const client = connect(
        await serve(
          unaryMethod(([call]) => {
            seen.push({ peer: call!.peer, deadline: call!.deadline });
            call!.reply(say(""));
          }),
        ),
      );
      const deadline = Date.now() + 60_000;
      await client.say("", { deadline });
      await client.say("");
      expect(seen[0]!.peer).toBe("127.0.0.1");
      expect(Math.abs(seen[0]!.deadline - deadline)).toBeLessThan(10_000);
      expect(seen[1]!.deadline).toBe(Number.POSITIVE_INFINITY);
    });
  });
}
