import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KeywardenError } from "../../domain/keywarden-error.ts";
import { generateToken } from "../../domain/token.ts";
import { createLogger, type Logger } from "./logger.ts";
import { requestContext } from "./request-context.ts";

const TOKEN = generateToken("c2p", "live", randomBytes).reveal();
const SECRET = TOKEN.slice("c2p_live_".length);
/** Of another system: only what is around it tells what it is. */
const IMPORTED = "sk-4f9a8b7c6d5e";

/** A log, and what came out of it. */
function logged(level = "trace"): { readonly log: Logger; readonly output: () => string } {
  let text = "";
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  return { log: createLogger({ level, format: "json", destination }), output: () => text };
}

describe("a token does not come out", () => {
  it.each<readonly [string, (log: Logger) => void]>([
    ["of a message", (log) => log.info(`verified ${TOKEN} for a caller`)],
    ["of a message's parameter", (log) => log.info("verified %s", TOKEN)],
    ["of a field of any name", (log) => log.info({ note: TOKEN }, "x")],
    ["of a nested field", (log) => log.info({ a: { b: [{ c: { d: `is ${TOKEN}` } }] } }, "x")],
    ["of a field's name", (log) => log.info({ [TOKEN]: 1 }, "x")],
    ["of an error's message and stack", (log) => log.error(new Error(`bad ${TOKEN}`))],
    ["of an error's cause", (log) => log.error({ err: new Error("x", { cause: new Error(TOKEN) }) }, "x")],
    [
      "of an error's fields",
      (log) => log.error({ err: Object.assign(new Error("x"), { asked: { it: TOKEN } }) }),
    ],
    [
      "of an error that is nested in a field",
      (log) => log.error({ details: { why: new TypeError(TOKEN) } }, "x"),
    ],
    [
      "of a KeywardenError's violations",
      (log) =>
        log.error({
          err: new KeywardenError({
            status: "INVALID_ARGUMENT",
            reason: "X",
            message: TOKEN,
            violations: [{ field: "token", description: TOKEN }],
          }),
        }),
    ],
    ["of a child's bindings", (log) => log.child({ note: TOKEN }).info("x")],
    ["of a request's id", (log) => requestContext.run({ requestId: TOKEN }, () => log.info("x"))],
    ["that was cut off", (log) => log.info(`verified ${TOKEN.slice(0, -8)}`)],
    ["that was typed twice", (log) => log.info(`verified ${TOKEN}${TOKEN}`)],
    [
      "of JSON within a text",
      (log) => log.info({ body: JSON.stringify({ any: JSON.stringify(TOKEN) }) }, "x"),
    ],
    ["of an address", (log) => log.info({ url: `/x?key=${TOKEN}&y=1` }, "x")],
  ])("%s", (_where, write) => {
    const { log, output } = logged();
    write(log);
    expect(output()).not.toContain(SECRET.slice(0, 20));
    expect(output()).toContain("[redacted]");
    expect(() => JSON.parse(output())).not.toThrow();
  });
});

describe("a secret of another shape does not come out", () => {
  it.each<readonly [string, (log: Logger) => void]>([
    ["of a field token", (log) => log.info({ token: IMPORTED }, "x")],
    [
      "of a field that is nested",
      (log) => log.info({ request: { headers: { authorization: IMPORTED } } }, "x"),
    ],
    ["of a list of objects", (log) => log.info({ all: [{ token: IMPORTED }] }, "x")],
    ["of a name in other letters", (log) => log.info({ "X-Api-Key": IMPORTED, ADMIN_TOKEN: IMPORTED }, "x")],
    [
      "of an error's field",
      (log) => log.error({ err: Object.assign(new Error("x"), { password: IMPORTED }) }),
    ],
    ["of a child's bindings", (log) => log.child({ token: IMPORTED }).info("x")],
    ["behind Bearer", (log) => log.info(`got authorization: Bearer ${IMPORTED}, twice`)],
    ["behind bearer, in an address", (log) => log.info({ url: `/x?a=bearer%20${IMPORTED}` }, "x")],
    ["behind Basic", (log) => log.info({ header: `Basic ${Buffer.from(IMPORTED).toString("base64")}` }, "x")],
    [
      "of a private key",
      (log) => log.info(`-----BEGIN PRIVATE KEY-----\n${IMPORTED}\n-----END PRIVATE KEY-----`),
    ],
    ["of a buffer", (log) => log.info({ bytes: Buffer.from(IMPORTED) }, "x")],
  ])("%s", (_where, write) => {
    const { log, output } = logged();
    write(log);
    expect(output()).not.toContain(IMPORTED);
    expect(output()).not.toContain(Buffer.from(IMPORTED).toString("base64").slice(0, 12));
    expect(output()).not.toContain([...Buffer.from(IMPORTED)].slice(0, 4).join(","));
    expect(() => JSON.parse(output())).not.toThrow();
  });
});

it("what is no secret comes out as it is", () => {
  const { log, output } = logged();
  const keyId = "019d3b1c-7c1e-7d4a-9a43-2f1e5c6b7a80";
  log.warn(
    { keyId, hint: "c2p_live_…a1B2", address: "127.0.0.1:50051", at: new Date(0), n: 1.5, none: null },
    "the metadata authorization must be one Bearer credential",
  );
  expect(JSON.parse(output())).toMatchObject({
    keyId,
    hint: "c2p_live_…a1B2",
    address: "127.0.0.1:50051",
    at: "1970-01-01T00:00:00.000Z",
    n: 1.5,
    none: null,
    msg: "the metadata authorization must be one Bearer credential",
  });
});

it("an error comes out with its type, its stack, and all its causes", () => {
  const { log, output } = logged();
  const cause = new RangeError("the first");
  log.error({ err: new TypeError("the last", { cause: new Error("between", { cause }) }) }, "it happened");
  expect(JSON.parse(output())).toMatchObject({
    msg: "it happened",
    err: {
      type: "TypeError",
      message: "the last",
      stack: expect.stringContaining("logger.test.ts"),
      cause: { message: "between", cause: { type: "RangeError", message: "the first" } },
    },
  });
});

it("what refers to itself, is very deep or very long is cut", () => {
  const { log, output } = logged();
  const circle: Record<string, unknown> = { name: "circle" };
  circle["self"] = circle;
  let deep: unknown = "bottom";
  for (let level = 0; level < 50; level++) deep = { deep };
  log.info({ circle, deep, long: Array.from({ length: 10_000 }, (_, index) => index) }, "x");
  const line = JSON.parse(output());
  expect(line.circle).toEqual({ name: "circle", self: "[circular]" });
  expect(output()).not.toContain("bottom");
  expect(line.long.length).toBeLessThan(1_000);
});

it("what is logged within a call has its request id, and nothing of it stays", () => {
  const { log, output } = logged();
  requestContext.run({ requestId: "r1" }, () => {
    log.info({ a: 1 }, "within");
    log.info("again");
  });
  log.info("outside");
  expect(
    output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { requestId: "r1", a: 1 },
    { requestId: "r1" },
    expect.not.objectContaining({ requestId: "r1" }),
  ]);
  expect(output().split("\n")[1]).not.toContain('"a"');
});
