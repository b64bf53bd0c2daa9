import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import { beforeEach, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health_pb.ts";
import type { KeywardenProcess } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const place = placePerTest();
let server: KeywardenProcess;
beforeEach(async () => {
  server = await place.start();
});

/** A start that is expected to be refused. */
async function refusedStart(...flags: string[]) {
  const child = spawn(
    process.execPath,
    [join(ROOT, "src/main.ts"), "serve", "--log-format", "json", ...flags],
    {
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  await once(child, "close");
  return { code: child.exitCode, printed };
}

it("keeps its data where only its owner can read it", async () => {
  const path = place.path("own/store");
  const own = await place.start({ directory: path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  const files = readdirSync(path);
  expect(files).toEqual(expect.arrayContaining(["admin-token", "keywarden.db", "pepper"]));
  for (const file of files) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
  expect(await own.stop()).toBe(0);
});

it("says which port is taken, in one line, when it is started twice", async () => {
  const { code, printed } = await refusedStart(
    "--store",
    `sqlite:${place.path("keywarden.db")}`,
    "--grpc",
    server.grpc,
    "--admin-grpc",
    server.adminGrpc,
  );
  expect(code).toBe(5);
  expect(printed.trim().split("\n")).toHaveLength(1);
  expect(printed).toContain(`--grpc: ${server.grpc} is taken`);
});

it("refuses a store that another one writes to, and leaves it alone", async () => {
  const store = place.path("keywarden.db");
  const { code, printed } = await refusedStart(
    "--store",
    `sqlite:${store}`,
    "--grpc",
    "127.0.0.1:0",
    "--admin-grpc",
    "127.0.0.1:0",
  );
  expect(code).toBe(5);
  expect(printed).toContain(store);
  const admin = server.adminClient();
  await admin.createApi({ api: { apiId: "a", displayName: "A", tokenPrefix: "a", environments: ["test"] } });
});

it("finds everything again after a restart", async () => {
  const admin = server.adminClient();
  await admin.createApi({ api: { apiId: "a", displayName: "A", tokenPrefix: "aa", environments: ["test"] } });
  const { key, token } = await admin.createKey({ key: { api: "a", environment: "test", owner: "o" } });
  expect(await server.stop()).toBe(0);
  server = await place.start();
  expect((await server.adminClient().getKey({ keyId: key!.keyId })).key).toEqual(key);
  expect((await server.verifyClient().verifyKey({ token })).allowed).toBe(true);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  it(`on ${signal} tells who watches that it does not serve any more, and ends with 0`, async () => {
    const client = new Client(server.grpc, credentials.createInsecure());
    const seen: number[] = [];
    const watch = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      () => Buffer.alloc(0),
      (bytes) => bytes.at(1) ?? 0,
      {},
    );
    const ended = Promise.withResolvers<number>();
    watch.on("error", (error: Error & { code: number }) => ended.resolve(error.code));
    watch.on("data", (serving: number) => {
      seen.push(serving);
      if (serving === Serving.SERVING) process.kill(server.pid, signal);
    });
    expect(await ended.promise).toBe(status.UNAVAILABLE);
    expect(seen).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
    client.close();
    expect(await server.stop()).toBe(0);
  });
}
