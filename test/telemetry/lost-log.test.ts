import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createRpcClient } from "../../src/cli/rpc-client.ts";
import { Reason, VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { totalOf } from "../support/exposition.ts";
import { placePerTest } from "../support/place-per-test.ts";

const place = placePerTest();

/** As nothing that it logs can be read, the server is told its ports. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

const FULL = "/dev/full";
if (!existsSync(FULL)) console.warn(`NOT TRIED: a server whose log has no room. This system has no ${FULL}.`);

it.runIf(existsSync(FULL)).each(["json", "pretty"])(
  "a server whose log (%s) is on a full disk serves, counts the lines that are lost, and stops when it is told to",
  async (format) => {
    const [grpc = 0, adminGrpc = 0, adminHttp = 0] = await freePorts(3);
    const log = openSync(FULL, "w");
    const flags = {
      "--store": `sqlite:${place.path("keywarden.db")}`,
      "--grpc": `127.0.0.1:${grpc}`,
      "--admin-grpc": `127.0.0.1:${adminGrpc}`,
      "--admin-http": `127.0.0.1:${adminHttp}`,
      "--environment": "test",
      "--log-format": format,
    };
    const main = join(import.meta.dirname, "../../src/main.ts");
    const child = spawn(process.execPath, [main, "serve", ...Object.entries(flags).flat()], {
      stdio: ["ignore", log, "inherit"],
    });
    const exited = once(child, "exit");
    closeSync(log);
    try {
      const get = (path: string) => fetch(`http://127.0.0.1:${adminHttp}${path}`);
      const isReady = () =>
        get("/readyz").then(
          ({ ok }) => ok,
          () => child.exitCode,
        );
      await expect.poll(isReady, { timeout: 60_000, interval: 50 }).toBe(true);
      const client = createRpcClient(VerifyService, `127.0.0.1:${grpc}`, { deadlineMs: 20_000 });
      expect((await client.verifyKey({ token: "" })).reason).toBe(Reason.MISSING_TOKEN);
      client.close();
      const text = await (await get("/metrics")).text();
      expect(totalOf(text, "keywarden_log_lines_dropped_total")).toBeGreaterThan(1);
    } finally {
      child.kill("SIGTERM");
    }
    expect(await exited).toEqual([0, null]);
  },
);
