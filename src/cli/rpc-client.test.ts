import { createServer, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { rpcErrorOf } from "../../test/support/rejection.ts";
import { VerifyService } from "../gen/keywarden/v1/verify_service_pb.ts";
import { createRpcClient } from "./rpc-client.ts";

/** A port on which every connection is handed to `accept`. */
async function listen(accept: (socket: Socket) => void) {
  const server = createServer(accept);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  return { port, close: () => server.close() };
}

test("where nobody listens a call is UNAVAILABLE", async () => {
  const { port, close } = await listen(() => {});
  close();
  const client = createRpcClient(VerifyService, `127.0.0.1:${port}`, { deadlineMs: 10_000 });
  expect(await rpcErrorOf(client.verifyKey({}))).toMatchObject({
    status: "UNAVAILABLE",
    reason: "",
    violations: [],
  });
  client.close();
});

test("a server that does not answer runs into the deadline", async () => {
  const sockets: Socket[] = [];
  const { port, close } = await listen((socket) => sockets.push(socket));
  const client = createRpcClient(VerifyService, `127.0.0.1:${port}`, { deadlineMs: 100 });
  expect((await rpcErrorOf(client.verifyKey({}))).status).toBe("DEADLINE_EXCEEDED");
  client.close();
  close();
  for (const socket of sockets) {
    socket.destroy();
  }
});

test("a credential that no header can carry is refused without being shown", async () => {
  const client = createRpcClient(VerifyService, "127.0.0.1:1", {
    deadlineMs: 10_000,
    metadata: () => ({ authorization: "Bearer kw_live_secret\n" }),
  });
  const error = await rpcErrorOf(client.verifyKey({}));
  expect(error.status).toBe("INVALID_ARGUMENT");
  expect(error.message).toContain("authorization");
  expect(error.message).not.toContain("secret");
  client.close();
});

test("a proxy named in the environment is not used", async () => {
  const { port, close } = await listen((socket) => socket.destroy());
  vi.stubEnv("http_proxy", `http://127.0.0.1:${port}`);
  const client = createRpcClient(VerifyService, "127.0.0.1:1", { deadlineMs: 10_000 });
  const error = await rpcErrorOf(client.verifyKey({}));
  vi.unstubAllEnvs();
  expect(error.message).toContain("127.0.0.1:1");
  client.close();
  close();
});
