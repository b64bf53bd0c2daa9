import { expect, it } from "vitest";
import { totalOf } from "../../../test/support/exposition.ts";
import type { Failure, UnaryCall, UnaryMethod } from "../../ports/transport.ts";
import { adminWatched } from "./admin-watched.ts";
import { createLogger } from "./logger.ts";
import { Metrics } from "./metrics.ts";

const DENIED: Failure = { status: "PERMISSION_DENIED", reason: "INSUFFICIENT_SCOPE", message: "no" };
const BROKEN: Failure = { status: "INTERNAL", reason: "INTERNAL", message: "internal error" };

/** One call of the method, and all that came of it. */
async function called(
  handle: (call: UnaryCall<unknown, unknown>) => void,
  { name = "CreateKey", requestId }: { readonly name?: string; readonly requestId?: string } = {},
) {
  let output = "";
  const destination = {
    write: (line: string) => {
      output += line;
    },
  };
  const log = createLogger({ level: "trace", format: "json", destination });
  const metrics = new Metrics({ version: "1.2.3" });
  const method: UnaryMethod = {
    kind: "unary",
    path: `/keywarden.v1.AdminService/${name}`,
    request: { decode: (bytes) => bytes },
    response: { maxSize: () => 0, encode: (_message, _bytes, offset) => offset },
    handle(calls) {
      for (const call of calls) {
        log.info("within");
        handle(call);
      }
    },
  };
  const watched = adminWatched(method, metrics, log);
  if (watched.kind !== "unary") throw new Error("a unary method stays one");
  const answers: unknown[] = [];
  watched.handle([
    {
      request: null,
      deadline: Number.POSITIVE_INFINITY,
      peer: "192.0.2.1",
      certificateNames: [],
      metadata: (field) => (field === "x-request-id" && requestId !== undefined ? [requestId] : []),
      isOver: () => answers.length > 0,
      reply: (response) => void answers.push(response),
      fail: (failure) => void answers.push(failure),
      onCancel: () => {},
    },
  ]);
  const { text } = await metrics.exposition();
  const lines = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { text, lines, answers };
}

it("a call is counted by its method and status, timed, and answered", async () => {
  const { text, answers } = await called((call) => call.fail(DENIED));
  const labels = { method: "CreateKey", status: "PERMISSION_DENIED" };
  expect(totalOf(text, "keywarden_admin_calls_total", labels)).toBe(1);
  expect(totalOf(text, "keywarden_admin_call_duration_seconds_count", { method: "CreateKey" })).toBe(1);
  expect(answers).toEqual([DENIED]);
});

it("a call that fails by our own fault is logged as a warning, and no other", async () => {
  const levels = async (handle: (call: UnaryCall<unknown, unknown>) => void) => {
    const { lines } = await called(handle);
    return lines.filter(({ msg }) => msg === "admin call").map(({ level }) => level);
  };
  expect(await levels((call) => call.fail(BROKEN))).toEqual([40]);
  expect(await levels((call) => call.fail(DENIED))).toEqual([20]);
  expect(await levels((call) => call.reply({}))).toEqual([20]);
});

it("its handler, and every line of the log, have the client's own request id", async () => {
  let seen: readonly string[] = [];
  const { lines } = await called(
    (call) => {
      seen = call.metadata("x-request-id");
      call.reply({});
    },
    { requestId: "deploy-7" },
  );
  expect(seen).toEqual(["deploy-7"]);
  expect(lines.map(({ requestId }) => requestId)).toEqual(["deploy-7", "deploy-7"]);
});

it.each([undefined, "", "with spaces", "x".repeat(129), "\u202e"])(
  "in place of the request id %j it has one of its own, for all of it the same",
  async (requestId) => {
    let seen: readonly string[] = [];
    const { lines } = await called(
      (call) => {
        seen = call.metadata("x-request-id");
        call.reply({});
      },
      requestId === undefined ? {} : { requestId },
    );
    const [made = ""] = seen;
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines.map((line) => line.requestId)).toEqual([made, made]);
  },
);

it.each([
  [{ problems: [] }, "sound", 1],
  [{ problems: [] }, "broken", 0],
  [{ problems: [{ kind: "GAP" }] }, "broken", 1],
])("an audit that was verified with %j counts as %s %d times", async (response, result, count) => {
  const { text } = await called((call) => call.reply(response), { name: "VerifyAudit" });
  expect(totalOf(text, "keywarden_audit_checks_total", { result })).toBe(count);
});
