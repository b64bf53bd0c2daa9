import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { HEAD, WHOLE } from "../../support/data-http.ts";
import { totalOf } from "../../support/exposition.ts";
import { httpServerOfTests } from "./http-server.ts";

const MIB = 1 << 20;
const server = httpServerOfTests();

async function residentMemory(): Promise<number> {
  const response = await fetch(`http://${server.process.adminHttp}/metrics`);
  return totalOf(await response.text(), "process_resident_memory_bytes");
}

/** Connections that send this until the server takes no more of it, and read nothing. */
async function flood(count: number, bytes: Buffer): Promise<Socket[]> {
  const [host = "", port] = server.process.http.split(":");
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(Number(port), host).pause();
    socket.on("error", () => {});
    return socket;
  });
  const stalled = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.setTimeout(1_000, resolve);
        socket.once("close", () => resolve());
        socket.write(bytes, () => resolve());
      }),
  );
  await Promise.all(stalled);
  return sockets;
}

it.each<[string, Buffer]>([
  ["request after request", Buffer.from(WHOLE.repeat(60_000))],
  [
    "a body without an end",
    Buffer.from(
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n${`8000\r\n${"x".repeat(0x8000)}\r\n`.repeat(300)}`,
    ),
  ],
])("clients that send %s and read nothing cost little memory", async (_, bytes) => {
  const { token } = await server.createKey();
  const before = await residentMemory();
  const sockets = await flood(20, bytes);
  const growth = (await residentMemory()) - before;
  // Garbage that V8 has not looked at yet is some of it; each of a million answers that wait would take a kilobyte or two.
  expect(growth / MIB).toBeLessThan(384);
  expect(await (await server.post("/v1/verify", { token })).json()).toMatchObject({ allowed: true });
  for (const socket of sockets) socket.destroy();
});
