import { describe, expect, it } from "vitest";
import type { Verdict } from "../../app/verification.ts";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import type { Reason } from "../../domain/reason.ts";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { metered } from "./metered.ts";
import { Metrics } from "./metrics.ts";
import { ThreadCounts } from "./thread-counts.ts";

const ABSENT: Failure = { status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE", message: "no store" };

function verdict(reason: Reason): Verdict {
  return {
    decision: {
      allowed: reason === "ALLOWED",
      reason,
      record: undefined,
      rateLimit: undefined,
    } as Verdict["decision"],
    revision: 1 as Verdict["revision"],
    message: "",
    wwwAuthenticate: "",
  };
}

/** A call as a carrier makes it, and what became of it. */
function call(request: unknown): UnaryCall<unknown, unknown> & { readonly answers: unknown[] } {
  const answers: unknown[] = [];
  return {
    request,
    deadline: Number.POSITIVE_INFINITY,
    peer: "192.0.2.1",
    certificateNames: ["DNS:a.example"],
    answers,
    metadata: (name) => [name],
    isOver: () => answers.length > 0,
    reply: (response) => void answers.push(response),
    fail: (failure) => void answers.push(failure),
    onCancel: () => {},
  };
}

type Handle = UnaryMethod["handle"];

function counted(handle: Handle, door: "grpc" | "grpc_batch" = "grpc") {
  const metrics = new Metrics({ version: "1.2.3" });
  const clock = { now: 1_000 };
  const method: UnaryMethod = {
    kind: "unary",
    path: "/test.Service/Method",
    request: { decode: (bytes) => bytes },
    response: { maxSize: () => 0, encode: (_message, _bytes, offset) => offset },
    handle,
  };
  const watched = metered(method, door, new ThreadCounts(metrics.threadMemory(1)), { now: () => clock.now });
  if (watched.kind !== "unary") throw new Error("a unary method stays one");
  const series = async (start: string) => {
    const { text } = await metrics.exposition();
    return text.split("\n").filter((line) => line.startsWith(start));
  };
  return { watched, series, clock };
}

/** As a carrier hands over the calls of a turn. */
function inItsTurn(hand: () => void): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      hand();
      resolve();
    });
  });
}

const replyWithRequest: Handle = (calls) => {
  for (const one of calls) one.reply(one.request);
};

describe("a metered method", () => {
  it("counts each call by its reason, and passes on what is answered", async () => {
    const { watched, series } = counted(replyWithRequest);
    const calls = [call(verdict("ALLOWED")), call(verdict("ALLOWED")), call(verdict("REVOKED"))];
    watched.handle(calls);
    expect(calls.map(({ answers }) => answers)).toEqual(calls.map(({ request }) => [request]));
    expect(await series("keywarden_verifications_total{")).toEqual([
      'keywarden_verifications_total{door="grpc",reason="ALLOWED"} 2',
      'keywarden_verifications_total{door="grpc",reason="REVOKED"} 1',
    ]);
    expect(await series("keywarden_verification_duration_seconds_count")).toEqual([
      'keywarden_verification_duration_seconds_count{door="grpc",reason="ALLOWED"} 2',
      'keywarden_verification_duration_seconds_count{door="grpc",reason="REVOKED"} 1',
    ]);
  });

  it("counts what could not be decided by its status", async () => {
    const { watched, series } = counted((calls) => {
      for (const one of calls) one.fail(ABSENT);
    });
    watched.handle([call(null)]);
    expect(await series("keywarden_verifications_total{")).toEqual([
      'keywarden_verifications_total{door="grpc",reason="UNAVAILABLE"} 1',
    ]);
  });

  it("counts each item of a batch by its own reason, and the call's time once", async () => {
    const { watched, series } = counted(replyWithRequest, "grpc_batch");
    watched.handle([
      call([verdict("ALLOWED"), verdict("EXPIRED"), verdict("ALLOWED"), new KeywardenError(ABSENT)]),
    ]);
    expect(await series("keywarden_verifications_total{")).toEqual([
      'keywarden_verifications_total{door="grpc_batch",reason="ALLOWED"} 2',
      'keywarden_verifications_total{door="grpc_batch",reason="EXPIRED"} 1',
      'keywarden_verifications_total{door="grpc_batch",reason="UNAVAILABLE"} 1',
    ]);
    expect(await series("keywarden_verification_duration_seconds_count")).toEqual([
      'keywarden_verification_duration_seconds_count{door="grpc_batch",reason="OK"} 1',
    ]);
  });

  it("counts a call that is answered twice once, and one that is answered later as well", async () => {
    let later = (): void => {};
    const { watched, series } = counted(([first, second]) => {
      first!.reply(verdict("ALLOWED"));
      first!.fail(ABSENT);
      later = () => second!.reply(verdict("DISABLED"));
    });
    watched.handle([call(null), call(null)]);
    expect(await series("keywarden_verification_duration_seconds_count")).toHaveLength(1);
    later();
    expect(await series("keywarden_verifications_total{")).toEqual([
      'keywarden_verifications_total{door="grpc",reason="ALLOWED"} 1',
      'keywarden_verifications_total{door="grpc",reason="DISABLED"} 1',
    ]);
    expect(await series("keywarden_verification_duration_seconds_count")).toHaveLength(2);
  });

  it("counts the calls of a handler that throws as INTERNAL, and lets the carrier know", async () => {
    const { watched, series } = counted(([first]) => {
      first!.reply(verdict("ALLOWED"));
      throw new Error("a bug");
    });
    const calls = [call(null), call(null)];
    expect(() => watched.handle(calls)).toThrow("a bug");
    expect(calls[1]!.answers).toMatchObject([{ status: "INTERNAL" }]);
    expect(await series("keywarden_verifications_total{")).toEqual([
      'keywarden_verifications_total{door="grpc",reason="ALLOWED"} 1',
      'keywarden_verifications_total{door="grpc",reason="INTERNAL"} 1',
    ]);
  });

  it("takes a call's time from the arrival of its message to the end of its turn", async () => {
    const { watched, series, clock } = counted((calls) => {
      clock.now += 2;
      replyWithRequest(calls);
    });
    watched.request.decode(new Uint8Array(), 0, 0);
    clock.now += 3;
    await inItsTurn(() => watched.handle([call(verdict("ALLOWED"))]));
    expect(await series("keywarden_verification_duration_seconds_sum")).toEqual([
      'keywarden_verification_duration_seconds_sum{door="grpc",reason="ALLOWED"} 0.005',
    ]);
  });

  it("does not count the wait of a message that never became a call", async () => {
    const { watched, series, clock } = counted(replyWithRequest);
    watched.request.decode(new Uint8Array(), 0, 0);
    await inItsTurn(() => {});
    clock.now += 60_000;
    watched.request.decode(new Uint8Array(), 0, 0);
    clock.now += 1;
    await inItsTurn(() => watched.handle([call(verdict("ALLOWED"))]));
    expect(await series("keywarden_verification_duration_seconds_sum")).toEqual([
      'keywarden_verification_duration_seconds_sum{door="grpc",reason="ALLOWED"} 0.001',
    ]);
  });

  it("shows its handler the call as it is", () => {
    let seen: UnaryCall<unknown, unknown> | undefined;
    const { watched } = counted(([first]) => {
      seen = first;
    });
    watched.handle([call("asked")]);
    expect(seen).toMatchObject({ request: "asked", peer: "192.0.2.1", certificateNames: ["DNS:a.example"] });
    expect(seen?.metadata("authorization")).toEqual(["authorization"]);
    expect(seen?.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(seen?.isOver()).toBe(false);
  });
});
