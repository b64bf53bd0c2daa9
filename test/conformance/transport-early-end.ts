import { connect as connectHttp2 } from "node:http2";
import { describe, expect, test } from "vitest";
import { Status } from "../../src/domain/status.ts";
import {
  type EchoCall,
  failureOf,
  frame,
  rawCall,
  rawHeaders,
  refusal,
  requestBytes,
  say,
  type TransportFixture,
  unaryMethod,
} from "./transport-fixture.ts";

export function describeEarlyEnd({ serve, connect }: TransportFixture): void {
  describe("a unary call ends early", () => {
    test("past its deadline it fails with DEADLINE_EXCEEDED, and a late answer changes nothing", async () => {
      const { method, arrived, cancelled, cancellations } = holding();
      const client = connect(await serve(method));
      const error = await failureOf(client.say("held", { deadline: Date.now() + 100 }));
      expect(error.code).toBe(Status.DEADLINE_EXCEEDED);
      const call = await arrived;
      await cancelled;
      expect(call.isOver()).toBe(true);
      call.reply(say("too late"));
      call.fail(refusal);
      expect(await client.say("now")).toBe("now");
      expect(cancellations()).toBe(1);
    });

    test("a server that alone knows the deadline ends the call itself", async () => {
      const { method, cancelled } = holding();
      const served = await serve(method);
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      const stream = session.request({ ...rawHeaders, "grpc-timeout": "50m" });
      stream.end(frame(requestBytes({ token: "held" })));
      const status = await new Promise((resolve) => {
        stream.once("response", (headers) => resolve(headers["grpc-status"]));
      });
      session.destroy();
      await cancelled;
      expect(status).toBe(String(Status.DEADLINE_EXCEEDED));
    });

    test("an answer that comes late because the server was busy is not sent", async () => {
      const over: boolean[] = [];
      const served = await serve(
        unaryMethod(([call]) => {
          while (Date.now() < call!.deadline) {
            // The event loop stands still, and with it the timer that ends the call.
          }
          over.push(call!.isOver());
          call!.reply(say("too late"));
        }),
      );
      const reply = await rawCall(served.port, frame(requestBytes({})), { "grpc-timeout": "50m" });
      expect(reply.grpcStatus).toBe(Status.DEADLINE_EXCEEDED);
      expect(reply.body).toHaveLength(0);
      expect(over).toEqual([true]);
    });

    test("a client that cancels is noticed once, and the call is over", async () => {
      const { method, arrived, cancelled, cancellations } = holding();
      const client = connect(await serve(method));
      const { call, answer } = client.start("held");
      const held = await arrived;
      expect(held.isOver()).toBe(false);
      call.cancel();
      expect((await failureOf(answer)).code).toBe(Status.CANCELLED);
      await cancelled;
      expect(held.isOver()).toBe(true);
      let atOnce = 0;
      held.onCancel(() => {
        atOnce += 1;
      });
      held.reply(say("too late"));
      expect(await client.say("now")).toBe("now");
      expect([cancellations(), atOnce]).toEqual([1, 1]);
    });

    test("an answered call is never cancelled", async () => {
      const { method, cancellations } = holding();
      const client = connect(await serve(method));
      await client.say("now");
      await client.say("now", { deadline: Date.now() + 60_000 });
      await client.say("now");
      expect(cancellations()).toBe(0);
    });

    test("a lost connection cancels its calls, and others go on", async () => {
      const { method, arrived, cancelled } = holding();
      const served = await serve(method);
      const session = connectHttp2(`http://127.0.0.1:${served.port}`);
      session.on("error", () => {});
      const stream = session.request(rawHeaders);
      stream.on("error", () => {});
      stream.end(frame(requestBytes({ token: "held" })));
      const held = await arrived;
      session.destroy();
      await cancelled;
      expect(held.isOver()).toBe(true);
      held.reply(say("too late"));
      expect(await connect(served).say("now")).toBe("now");
    });
  });
}

/** A method that answers nothing but "now", and what it was called with. */
function holding() {
  const arrived = Promise.withResolvers<EchoCall>();
  const cancelled = Promise.withResolvers<void>();
  let cancellations = 0;
  const method = unaryMethod((calls) => {
    for (const call of calls) {
      call.onCancel(() => {
        cancellations += 1;
        cancelled.resolve();
      });
      if (call.request.token === "now") {
        call.reply(say("now"));
      } else {
        arrived.resolve(call);
      }
    }
  });
  return {
    method,
    arrived: arrived.promise,
    cancelled: cancelled.promise,
    cancellations: () => cancellations,
  };
}
