import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { Status } from "../../src/domain/status.ts";
import {
  type EchoCall,
  echo,
  endOf,
  failureOf,
  say,
  streamMethod,
  type TransportFixture,
  unaryMethod,
} from "./transport-fixture.ts";

/** Longer than any test: what resolves under such a grace did not need it. */
const longGrace = 600_000;

export function describeDrain({ serve, connect }: TransportFixture): void {
  describe("draining", () => {
    test("open calls are answered, new connections are refused", async () => {
      const arrived = Promise.withResolvers<EchoCall>();
      const served = await serve(unaryMethod(([call]) => arrived.resolve(call!)));
      const answer = connect(served).say("held");
      const call = await arrived.promise;
      const drained = served.drain(longGrace);
      expect((await failureOf(connect(served).say("too late"))).code).toBe(Status.UNAVAILABLE);
      expect(call.isOver()).toBe(false);
      call.reply(say("answered"));
      expect(await answer).toBe("answered");
      await drained;
    });

    test("idle connections are closed at once", async () => {
      const served = await serve(echo);
      const client = connect(served);
      await client.say("");
      const socket = connectTcp(served.port, "127.0.0.1");
      await new Promise((resolve) => {
        socket.once("data", resolve);
      });
      await served.drain(longGrace);
      expect((await failureOf(client.say(""))).code).toBe(Status.UNAVAILABLE);
    });

    test("what is open after the grace is cut", async () => {
      const opened = Promise.withResolvers<void>();
      const cancelled = Promise.withResolvers<void>();
      const method = streamMethod((call) => {
        call.onCancel(cancelled.resolve);
        opened.resolve();
      });
      const served = await serve(method);
      const end = endOf(connect(served).stream(""));
      const mute = connectTcp({ port: served.port, host: "127.0.0.1", allowHalfOpen: true });
      mute.on("error", () => {});
      await opened.promise;
      await served.drain(50);
      await cancelled.promise;
      expect((await end).error?.code).toBeTypeOf("number");
      mute.destroy();
    });

    test("draining again with a shorter grace cuts sooner", async () => {
      const arrived = Promise.withResolvers<void>();
      const cancelled = Promise.withResolvers<void>();
      const served = await serve(
        unaryMethod(([call]) => {
          call!.onCancel(cancelled.resolve);
          arrived.resolve();
        }),
      );
      const answer = connect(served).say("held");
      await arrived.promise;
      await Promise.all([served.drain(longGrace), served.drain(0)]);
      await cancelled.promise;
      expect((await failureOf(answer)).code).toBeTypeOf("number");
      await served.drain(longGrace);
    });
  });
}
