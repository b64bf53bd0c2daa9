import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { keywarden } from "../support/command-line.ts";
import { rpcErrorOf } from "../support/rejection.ts";
import { portOf, tlsServer } from "./tls-server.ts";

/** An address that only this machine reaches, in a spelling that is not counted as such. */
const AS_IF_PUBLIC = "[::ffff:127.0.0.1]:0";

const tls = tlsServer();
const { adminClient, path, setUp, tearDown, verifyClient, write } = tls;
/** What callers show who have a credential beside it. */
let own: TestCertificate;

/** A caller's credential, bound to these. */
async function callerCredential(binding?: { apis?: string[]; environment?: string }): Promise<string> {
  const created = await adminClient(own).createKey({
    key: {
      api: "keywarden",
      environment: "live",
      owner: "backend",
      scopes: ["verify:call"],
      ...(binding && { binding }),
    },
  });
  return created.token;
}

describe("a server that other machines reach", () => {
  beforeAll(async () => {
    own = await tls.authority.issue({ names: ["URI:spiffe://example/unmapped"] });
    const callers = ["--tls-client-ca", path("ca.crt"), "--tls-callers", path("callers.yaml")];
    await setUp(["--grpc", AS_IF_PUBLIC, ...callers], own);
  });
  afterAll(tearDown);

  it("serves nobody without a credential or a mapped certificate", async () => {
    expect(
      await rpcErrorOf(verifyClient(own).verifyKey({ token: tls.token, environment: "test" })),
    ).toMatchObject({
      status: "UNAUTHENTICATED",
      reason: "UNAUTHENTICATED",
    });
    expect(await rpcErrorOf(verifyClient().verifyKey({ token: tls.token }))).toMatchObject({
      status: "UNAVAILABLE",
    });
    const credential = await callerCredential();
    const response = await verifyClient(own, credential).verifyKey({ token: tls.token, environment: "test" });
    expect(response.reason).toBe(Reason.ALLOWED);
    const [wrong] = [`${credential.slice(0, -1)}${credential.endsWith("a") ? "b" : "a"}`];
    expect(await rpcErrorOf(verifyClient(own, wrong).verifyKey({ token: tls.token }))).toMatchObject({
      status: "UNAUTHENTICATED",
    });
  });

  it("serves a certificate that is mapped as the caller that it stands for, and hears of changes", async () => {
    const orders = verifyClient(await tls.authority.issue({ names: ["URI:spiffe://example/orders"] }));
    expect((await orders.verifyKey({ token: tls.token })).reason).toBe(Reason.ALLOWED);
    expect(await rpcErrorOf(orders.verifyKey({ token: tls.token, environment: "live" }))).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "CALLER_ENVIRONMENT",
      violations: [{ field: "environment", description: expect.stringContaining("the caller serves test") }],
    });
    write("callers.yaml", "- { san: spiffe://example/orders, api: c2p, environment: live }\n");
    await expect
      .poll(async () => (await orders.verifyKey({ token: tls.token })).reason, {
        timeout: 60_000,
        interval: 50,
      })
      .toBe(Reason.WRONG_ENVIRONMENT);
    write("callers.yaml", "- { san: spiffe://example/orders, enviroment: live }\n");
    await expect
      .poll(() => tls.server.output(), { timeout: 60_000, interval: 50 })
      .toContain("TLS_CALLERS_INVALID");
    write("callers.yaml", "- san: *.example.com\n");
    await expect
      .poll(() => tls.server.output(), { timeout: 60_000, interval: 50 })
      .toContain("write what begins with * between quotes");
    expect((await orders.verifyKey({ token: tls.token })).reason).toBe(Reason.WRONG_ENVIRONMENT);
  });

  it("lets no request contradict its caller, whole or in a batch", async () => {
    const client = verifyClient(own, await callerCredential({ apis: ["c2p"], environment: "test" }));
    expect((await client.verifyKey({ token: tls.token })).reason).toBe(Reason.ALLOWED);
    expect(await rpcErrorOf(client.verifyKey({ token: tls.token, api: "keywarden" }))).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "CALLER_API",
      violations: [{ field: "api" }],
    });
    const { results } = await client.batchVerifyKeys({
      requests: [{ token: tls.token }, { token: tls.token, environment: "*" }],
    });
    expect(results.map(({ outcome }) => outcome.case)).toEqual(["response", "error"]);
  });

  it("is called by the command line with a credential and a client certificate", async () => {
    write("caller-token", `${await callerCredential({ apis: ["c2p"], environment: "test" })}\n`);
    write("client.crt", own.cert);
    write("client.key", own.key);
    const address = ["--verify-address", `127.0.0.1:${portOf(tls.server.grpc)}`, "--tls-ca", path("ca.crt")];
    const certificate = ["--tls-client-cert", path("client.crt"), "--tls-client-key", path("client.key")];
    const verify = (...flags: readonly string[]) =>
      keywarden(["verify", ...address, ...flags], { input: tls.token });
    expect(await verify(...certificate, "--caller-token-file", path("caller-token"))).toMatchObject({
      code: 0,
    });
    expect(await verify(...certificate)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/does not accept a caller without a credential\n.*--caller-token-file/),
    });
    expect(await verify()).toMatchObject({ code: 4, stderr: expect.stringContaining("--tls-client-cert") });
  });
});
