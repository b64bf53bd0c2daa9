import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keywarden } from "../../test/support/command-line.ts";
import { createHealth } from "../adapters/grpc/health.ts";
import { dataPlaneLimits } from "../adapters/grpc/limits.ts";
import { listen } from "../adapters/grpc/listener.ts";
import { startGrpcServer } from "../adapters/grpc/server.ts";

async function serve(methods: ReturnType<typeof createHealth>["methods"]) {
  return startGrpcServer({
    methods,
    listener: await listen({ host: "127.0.0.1", port: 0, setting: "--grpc" }),
    limits: dataPlaneLimits,
    onInternalError: (error) => {
      throw error;
    },
  });
}

const health = createHealth([]);
let plane: Awaited<ReturnType<typeof serve>>;
let other: Awaited<ReturnType<typeof serve>>;
/** Takes connections and says nothing. */
const silent = createServer();
let silence: string;
beforeAll(async () => {
  [plane, other] = await Promise.all([serve(health.methods), serve([])]);
  await new Promise<void>((resolve) => {
    silent.listen(0, "127.0.0.1", resolve);
  });
  silence = `127.0.0.1:${(silent.address() as { port: number }).port}`;
});
afterAll(async () => {
  await Promise.all([plane.drain(0), other.drain(0)]);
  silent.close();
});

const ask = (...args: string[]) => keywarden(["health", ...args]);

describe("keywarden health", () => {
  it("ends with 6 while the server answers that it does not serve, and with 0 once it serves", async () => {
    const waiting = await ask("--verify-address", plane.address);
    expect(waiting).toEqual({
      code: 6,
      stdout: "",
      stderr: `${plane.address} (the data plane) answers, but does not serve\n`,
    });
    health.set(true);
    const serving = await ask("--verify-address", plane.address);
    expect(serving).toEqual({ code: 0, stdout: `${plane.address} (the data plane) serves\n`, stderr: "" });
  });

  it("asks the admin plane where it is told to", async () => {
    const [address, nobody] = [plane.address, "127.0.0.1:1"];
    health.set(true);
    expect(await ask("--admin", "--address", address, "--verify-address", nobody)).toMatchObject({
      code: 0,
      stdout: `${address} (the admin plane) serves\n`,
    });
    expect((await ask("--admin", "--address", nobody, "--verify-address", address)).code).toBe(4);
  });

  it("ends with 4 where nobody answers, and says where it asked", async () => {
    expect(await ask("--verify-address", "127.0.0.1:1")).toEqual({
      code: 4,
      stdout: "",
      stderr: "no server answers at 127.0.0.1:1 (the data plane)\n",
    });
  });

  it("ends with 4 where no answer comes in time", async () => {
    expect(await ask("--verify-address", silence, "--timeout", "100ms")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("within 100ms"),
    });
  });

  it("ends with 3 where something else answers", async () => {
    expect(await ask("--verify-address", other.address)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("UNIMPLEMENTED"),
    });
  });

  it("prints nothing with --quiet, and ends the same", async () => {
    health.set(true);
    expect(await ask("--quiet", "--verify-address", plane.address)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(await ask("-q", "--verify-address", "127.0.0.1:1")).toEqual({ code: 4, stdout: "", stderr: "" });
  });

  it("says even then what is wrong with the command itself", async () => {
    expect(await ask("--quiet", "--timeout", "soon")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--timeout is "soon"'),
    });
  });

  it("gives up after two seconds unless it is told otherwise", async () => {
    expect((await ask("--help")).stdout).toMatch(/--timeout <duration> +.*\(default: 2s\)/);
    expect((await ask("--verify-address", silence)).stderr).toContain("within 2s");
  });
});
