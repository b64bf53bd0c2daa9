import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attributesOf, Collector } from "../../../test/support/collector.ts";
import type { Verdict } from "../../app/verification.ts";
import type { UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { createLogger } from "./logger.ts";
import { traced } from "./traced.ts";
import { openTracing, type Tracing } from "./tracing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const KEY_ID = "019d3b1c-7c1e-7d4a-9a43-2f1e5c6b7a80";
const TOKEN = "c2p_live_0123456789abcdefghijABCDEFGHIJ01234567";

let collector: Collector;
const open: Tracing[] = [];

beforeEach(async () => {
  collector = await Collector.start();
});

afterEach(async () => {
  for (const tracing of open.splice(0)) await tracing.close(0);
  collector.stop();
});

function tracing(
  options: { readonly sample?: number; readonly endpoint?: string; readonly timeoutMs?: number } = {},
) {
  let output = "";
  const destination = {
    write: (line: string) => {
      output += line;
    },
  };
  const log = createLogger({ level: "trace", format: "json", destination });
  const { sample = 0, timeoutMs = 5_000, endpoint = `${collector.address}/v1/traces` } = options;
  const opened = openTracing({ endpoint, sample, version: "1.2.3", thread: "1", log, timeoutMs });
  open.push(opened);
  return { opened, output: () => output };
}

type Handle = UnaryMethod["handle"];

/** One call of the method with this metadata; resolves once everything has been sent. */
async function callOnce(
  handle: Handle,
  metadata: Readonly<Record<string, string>>,
  options: Parameters<typeof tracing>[0] = {},
) {
  const { opened, output } = tracing(options);
  const answers: unknown[] = [];
  const call: UnaryCall<unknown, unknown> = {
    request: { token: TOKEN },
    deadline: Number.POSITIVE_INFINITY,
    peer: "192.0.2.1",
    certificateNames: [],
    metadata: (name) => (metadata[name] === undefined ? [] : [metadata[name]]),
    isOver: () => answers.length > 0,
    reply: (response) => void answers.push(response),
    fail: (failure) => void answers.push(failure),
    onCancel: (callback) => metadata["cancelled"] && callback(),
  };
  const seen: UnaryCall<unknown, unknown>[] = [];
  const method = traced(
    {
      kind: "unary",
      path: "/keywarden.v1.VerifyService/VerifyKey",
      request: { decode: (bytes) => bytes },
      response: { maxSize: () => 0, encode: (_message, _bytes, offset) => offset },
      handle(calls) {
        seen.push(...calls);
        handle(calls);
      },
    },
    opened,
  );
  if (method.kind !== "unary") throw new Error("a unary method stays one");
  method.handle([call]);
  await opened.close(10_000);
  return { answers, output: output(), isUntouched: seen[0] === call };
}

const allow: Handle = (calls) => {
  const decision = { allowed: true, reason: "ALLOWED", record: { key: { id: KEY_ID } } };
  for (const call of calls) call.reply({ decision } as unknown as Verdict);
};

const fail: Handle = (calls) => {
  for (const call of calls) call.fail({ status: "UNAVAILABLE", reason: "STORE_UNAVAILABLE", message: "no" });
};

describe("a call", () => {
  it("whose parent is sampled becomes a span of the same trace, with what came of it and no token", async () => {
    const { answers } = await callOnce(allow, { traceparent: `00-${TRACE}-${PARENT}-01` });
    const [span] = collector.spans;
    expect(collector.spans).toHaveLength(1);
    expect(span).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT,
      name: "keywarden.v1.VerifyService/VerifyKey",
      kind: 2,
    });
    expect(attributesOf(span)).toEqual({
      "rpc.system": "grpc",
      "rpc.service": "keywarden.v1.VerifyService",
      "rpc.method": "VerifyKey",
      "rpc.grpc.status_code": 0,
      "keywarden.reason": "ALLOWED",
      "keywarden.key_id": KEY_ID,
    });
    expect(collector.resources[0]).toContain('"keywarden"');
    expect(collector.bodies).not.toContain(TOKEN);
    expect(answers).toHaveLength(1);
  });

  it("whose parent is not sampled becomes none, and goes through as it came", async () => {
    const { isUntouched, answers } = await callOnce(
      allow,
      { traceparent: `00-${TRACE}-${PARENT}-00` },
      { sample: 1 },
    );
    expect(collector.requests).toBe(0);
    expect(isUntouched).toBe(true);
    expect(answers).toHaveLength(1);
  });

  it.each([
    [0, 0],
    [1, 1],
  ])("without a parent, at a ratio of %d, becomes %d", async (sample, spans) => {
    await callOnce(allow, {}, { sample });
    expect(collector.spans).toHaveLength(spans);
  });

  it.each(["", "garbage", `ff-${TRACE}-${PARENT}-01`, `00-${"0".repeat(32)}-${PARENT}-01`])(
    "with the traceparent %j begins a trace of its own",
    async (traceparent) => {
      await callOnce(allow, { traceparent }, { sample: 1 });
      expect(collector.spans).toHaveLength(1);
      expect(collector.spans[0]).not.toHaveProperty("parentSpanId", PARENT);
    },
  );

  it("that fails says so with its status and reason", async () => {
    await callOnce(fail, { traceparent: `00-${TRACE}-${PARENT}-01` });
    const [span] = collector.spans;
    expect(attributesOf(span)).toMatchObject({
      "rpc.grpc.status_code": 14,
      "keywarden.reason": "STORE_UNAVAILABLE",
    });
    expect(span?.status).toMatchObject({ code: 2 });
  });

  it("that its client gives up is a span too", async () => {
    await callOnce(fail, { traceparent: `00-${TRACE}-${PARENT}-01`, cancelled: "yes" });
    expect(collector.spans).toHaveLength(1);
    expect(attributesOf(collector.spans[0])).toMatchObject({ "rpc.grpc.status_code": 1 });
  });
});

describe("a collector that can't be reached", () => {
  it("disturbs no call, and is told of once", async () => {
    const endpoint = `${collector.address}/v1/traces`;
    collector.stop();
    const { answers, output } = await callOnce(allow, {}, { sample: 1, endpoint, timeoutMs: 200 });
    expect(answers).toHaveLength(1);
    expect(output.match(/traces could not be sent/g)).toHaveLength(1);
  });

  it("or that refuses is told of once for many failures", async () => {
    collector.status = 400;
    const { opened, output } = tracing({ sample: 1 });
    for (let span = 0; span < 2_000; span++) opened.tracer.startSpan("one of many").end();
    await opened.close(10_000);
    expect(collector.requests).toBeGreaterThan(1);
    expect(output().match(/traces could not be sent/g)).toHaveLength(1);
  });
});
