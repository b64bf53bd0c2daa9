import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { dataHttpPerTest, HEAD, LAST, rawAnswer, WHOLE } from "../../../test/support/data-http.ts";
import type { Verification } from "../../app/verification.ts";

const { own, start } = dataHttpPerTest();

/** The statuses of all answers in it. */
function statuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

describe("a request that HTTP allows and nobody needs", () => {
  it.each<[string, string, number]>([
    ["GET", "GET /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405],
    ["OPTIONS", "OPTIONS /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405],
    ["TRACE", "TRACE /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405],
    ["PROPFIND", "PROPFIND /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405],
    ["QUERY without a type", "QUERY /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400],
    ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
    ["another path", "POST /v1/verify/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404],
    ["a path with a broken escape", "POST /v1/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400],
    ["an address with a query", LAST.replace("/v1/verify", "/v1/verify?token=x"), 400],
    ["another content type", LAST.replace("application/json", "text/plain"), 415],
    ["a form", LAST.replace("application/json", "application/x-www-form-urlencoded"), 415],
    ["no content type", LAST.replace("Content-Type: application/json\r\n", ""), 415],
    ["a compressed body", LAST.replace("Host: a\r\n", "Host: a\r\nContent-Encoding: gzip\r\n"), 415],
    ["no body", `${HEAD}Connection: close\r\n\r\n`, 400],
    ["an expectation", LAST.replace("Host: a\r\n", "Host: a\r\nExpect: 200-ok\r\n"), 417],
    ["an upgrade", LAST.replace("Host: a\r\n", "Host: a\r\nUpgrade: websocket\r\n"), 200],
    ["an absolute address", LAST.replace("/v1/verify", "http://b/v1/verify"), 200],
  ])("%s is answered", async (_, bytes, status) => {
    const { port } = await start();
    const received = await rawAnswer(port, bytes);
    expect(statuses(received)).toEqual([status]);
    if (status === 405 && !bytes.startsWith("CONNECT")) expect(received).toMatch(/^allow: POST\r$/im);
  });
});

describe("what could be read in two ways", () => {
  it.each<[string, string]>([
    ["a length and chunks", `${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`],
    ["the same length twice", `${HEAD}Content-Length: 6\r\nContent-Length: 6\r\n\r\nabcdef`],
    ["a list of lengths", `${HEAD}Content-Length: 6, 6\r\n\r\nabcdef`],
    ["a length that is no number", `${HEAD}Content-Length: +6\r\n\r\nabcdef`],
    ["a negative length", `${HEAD}Content-Length: -6\r\n\r\nabcdef`],
    ["chunks that are not the last coding", `${HEAD}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    ["an unknown coding", `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["a chunk whose length is no number", `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`],
    ["a chunk that is longer than it says", `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`],
    ["a folded header", `${HEAD}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ["lines that end with LF alone", WHOLE.replaceAll("\r\n", "\n")],
    ["one header that ends with LF alone", WHOLE.replace("Host: a\r\n", "Host: a\n")],
    ["a header that ends with CR alone", WHOLE.replace("Host: a\r\n", "Host: a\r")],
    ["a space before the colon", WHOLE.replace("Content-Length:", "Content-Length :")],
    ["a header without a name", WHOLE.replace("Host: a\r\n", "Host: a\r\n: b\r\n")],
    ["NUL in a header", WHOLE.replace("Host: a", "Host: a\r\nX: a\0b")],
    ["no host", WHOLE.replace("Host: a\r\n", "")],
    ["two hosts", WHOLE.replace("Host: a\r\n", "Host: a\r\nHost: b\r\n")],
    ["another protocol", WHOLE.replace("HTTP/1.1", "HTTP/3.7")],
    ["HTTP/2 without an agreement", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS where there is none", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["nothing of HTTP", "\0\0\0 hello\r\n\r\n"],
  ])("%s: is refused, and nothing behind it is read", async (_, bytes) => {
    const { port, groups } = await start();
    const received = await rawAnswer(port, bytes + LAST);
    const [first, ...others] = statuses(received);
    expect(first).toBe(400);
    expect(others).toEqual([]);
    expect(groups).toEqual([]);
  });
});

describe("a client that", () => {
  it("sends several requests at once gets as many answers, in order", async () => {
    const { port } = await start();
    const refused = WHOLE.replace("/v1/verify", "/nothing");
    expect(statuses(await rawAnswer(port, WHOLE + refused + WHOLE + LAST))).toEqual([200, 404, 200, 200]);
  });

  it("sends headers that are too large is refused", async () => {
    const { port } = await start();
    expect(statuses(await rawAnswer(port, `${HEAD}X: ${"x".repeat(20_000)}\r\n\r\n`))).toEqual([431]);
    expect(statuses(await rawAnswer(port, `${HEAD}${"X: y\r\n".repeat(5_000)}\r\n`))).toEqual([431]);
  });

  it("says that it sends 10 MB is refused before it does", async () => {
    const { port } = await start();
    expect(
      statuses(await rawAnswer(port, `${HEAD}Content-Length: 10000000\r\nConnection: close\r\n\r\n`)),
    ).toEqual([413]);
  });

  it("sends 10 MB in chunks is refused, and what it sends is not kept", async () => {
    const { port } = await start();
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const received = await rawAnswer(
      port,
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(300)}0\r\n\r\n${LAST}`,
    );
    // The connection may be cut before the client has read why.
    expect(statuses(received).every((status) => status === 413 || status === 400)).toBe(true);
  });

  it("waits to be told to go on is told, and one with too much to send is refused", async () => {
    const { port } = await start();
    const expecting = (request: string) =>
      request.replace("Host: a\r\n", "Host: a\r\nExpect: 100-continue\r\n");
    expect(statuses(await rawAnswer(port, expecting(LAST)))).toEqual([100, 200]);
    const large = expecting(LAST).replace(/Content-Length: \d+/, "Content-Length: 10000000");
    expect(statuses(await rawAnswer(port, large)).at(-1)).toBe(413);
  });

  it("never finishes its headers is cut off", async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 100 } });
    expect(statuses(await rawAnswer(port, HEAD))).toEqual([408]);
  });

  it("never finishes its body is cut off", async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 100 } });
    expect(statuses(await rawAnswer(port, `${HEAD}Content-Length: 10\r\n\r\nabc`))).toEqual([408]);
  });

  it("says nothing at all is cut off", async () => {
    const { port } = await start({ limits: { idleMs: 50, headersTimeoutMs: 100 } });
    expect(statuses(await rawAnswer(port, ""))).not.toContain(200);
  });

  it("does any of this leaves the others served", async () => {
    const { port, post } = await start({ limits: { maxConnections: 50 } });
    const { token } = await own.stored();
    const hostile = Array.from({ length: 20 }, (_, index) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(index % 2 === 0 ? HEAD : `${HEAD}Content-Length: 60000\r\n\r\nabc`);
      return socket;
    });
    const response = await post({ token, environment: "test" });
    expect(await response.json()).toMatchObject({ allowed: true });
    for (const socket of hostile) socket.destroy();
  });

  it("has gone is not decided for, and nothing is charged", async () => {
    const waiting = Promise.withResolvers<readonly Verification[]>();
    const { port } = await start({ verify: waiting.resolve });
    const socket = connect(port, "127.0.0.1");
    socket.write(WHOLE);
    const [verification] = await waiting.promise;
    expect(verification!.isOver()).toBe(false);
    socket.destroy();
    await expect.poll(() => verification!.isOver()).toBe(true);
  });
});
