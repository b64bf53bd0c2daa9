import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keywarden } from "../../test/support/command-line.ts";
import { createHealth } from "../adapters/grpc/health.ts";
import { dataPlaneLimits } from "../adapters/grpc/limits.ts";
import { listen } from "../adapters/grpc/listener.ts";
import { type GrpcServer, startGrpcServer } from "../adapters/grpc/server.ts";

let plaintext: GrpcServer;
let port: number;
beforeAll(async () => {
  const listener = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  ({ port } = listener);
  plaintext = startGrpcServer({
    listener,
    methods: createHealth([]).methods,
    limits: dataPlaneLimits,
    onInternalError: (error) => {
      throw error;
    },
  });
});
afterAll(() => plaintext.drain(0));

const verify = (...args: string[]) => keywarden(["verify", ...args], { input: "c2p_test_x" });

describe("a call to another machine", () => {
  // It only looks like one.
  const elsewhere = () => ["--verify-address", `[::ffff:127.0.0.1]:${port}`];

  it("is not made in plaintext, and both ways out are named", async () => {
    expect(await verify(...elsewhere())).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /is another machine.*\n.*--tls-ca FILE.*--tls .*\n.*--insecure-plaintext/,
      ),
    });
    const admin = await keywarden(["key", "list", "--address", `[::ffff:127.0.0.1]:${port}`]);
    expect(admin).toMatchObject({ code: 2, stderr: expect.stringContaining("--tls-ca FILE") });
  });

  it("is made over TLS, or in plaintext if that is said aloud", async () => {
    expect((await verify(...elsewhere(), "--tls")).code).toBe(4);
    expect((await verify(...elsewhere(), "--insecure-plaintext")).code).toBe(3);
  });
});

it("a server that does not speak TLS is said to be one", async () => {
  expect(await verify("--verify-address", `127.0.0.1:${port}`, "--tls")).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/does not speak TLS\n.*KEYWARDEN_TLS/),
  });
});

it("a server that is not there is said to be none, with TLS as without", async () => {
  const gone = await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" });
  await gone.close(0);
  expect(await verify("--verify-address", gone.address, "--tls")).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("no server answers"),
  });
});

it("a credential's file that cannot be used is named, and what it holds is not shown", async () => {
  expect(await verify("--caller-token-file", "/nowhere/token")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /caller token's file \/nowhere\/token does not exist\n.*--scope verify:call/,
    ),
  });
  const { code, stderr } = await verify("--caller-token-file", import.meta.filename);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/does not hold one token \(\d+ characters\)/)]);
});
