import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientTls, createRpcClient, RpcError } from "../../src/cli/rpc-client.ts";
import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { Reason, VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { createTestAuthority, type TestAuthority, type TestCertificate } from "../support/certificates.ts";
import { keywarden } from "../support/command-line.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";

/** An address that only this machine reaches, in a spelling that is not counted as such. */
const AS_IF_PUBLIC = "[::ffff:127.0.0.1]:0";
const WORKERS = 2;
/** Each verification thread, and the admin plane. */
const READERS = WORKERS + 1;

const directory = temporaryDirectory();
const clients: { close(): void }[] = [];
let authority: TestAuthority;
let server: KeywardenProcess;
let token: string;

const path = (name: string) => join(directory.path, name);
const write = (name: string, content: string) => writeFileSync(path(name), content);

function put({ cert, key }: TestCertificate): void {
  write("tls.crt", cert);
  write("tls.key", key);
}

beforeAll(async () => {
  authority = await createTestAuthority();
  put(await authority.issue());
  write("ca.crt", authority.cert);
  write("callers.yaml", "- { san: spiffe://example/orders, api: c2p, environment: test }\n");
});
afterAll(() => directory.remove());

function kept<Client extends { close(): void }>(client: Client): Client {
  clients.push(client);
  return client;
}

/** Of a connection that trusts the authority of these tests. */
function trusting(own?: TestCertificate): ClientTls {
  return {
    ca: Buffer.from(authority.cert),
    cert: own && Buffer.from(own.cert),
    key: own && Buffer.from(own.key),
    serverName: "localhost",
  };
}

function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}

function verifyClient(own?: TestCertificate, credential?: string) {
  return kept(
    createRpcClient(VerifyService, `127.0.0.1:${portOf(server.grpc)}`, {
      deadlineMs: 20_000,
      tls: trusting(own),
      metadata: () => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    }),
  );
}

function adminClient(own?: TestCertificate) {
  return kept(
    createRpcClient(AdminService, server.adminGrpc, {
      deadlineMs: 20_000,
      tls: trusting(own),
      metadata: () => ({ authorization: `Bearer ${server.adminToken}` }),
    }),
  );
}

async function setUp(flags: readonly string[], own?: TestCertificate): Promise<void> {
  server = await startKeywarden({
    directory: temporaryStore(),
    flags: ["--tls-cert", path("tls.crt"), "--tls-key", path("tls.key"), ...flags],
  });
  const admin = adminClient(own);
  await admin.createApi({
    api: { apiId: "c2p", displayName: "C2P", tokenPrefix: "c2p", environments: ["test", "live"] },
  });
  const created = await admin.createKey({ key: { api: "c2p", environment: "test", owner: "a" } });
  token = created.token;
}

const stores: { remove(): void }[] = [];
function temporaryStore(): string {
  const store = temporaryDirectory();
  stores.push(store);
  return store.path;
}

async function tearDown(): Promise<void> {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
  for (const store of stores.splice(0)) store.remove();
}

async function refusalOf(call: Promise<unknown>): Promise<RpcError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RpcError);
  return error as RpcError;
}

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
let own: TestCertificate | undefined;

describe("a server whose certificate changes while it serves", () => {
  beforeAll(() => setUp(["--workers", String(WORKERS), "--environment", "test"]));
  afterAll(tearDown);

  /** The serial numbers of the certificates that new connections are shown, on both planes. */
  async function shown(): Promise<ReadonlySet<string>> {
    const ports = [...Array.from({ length: 8 }, () => portOf(server.grpc)), portOf(server.adminGrpc)];
    const serials = ports.map(
      (port) =>
        new Promise<string>((resolve, reject) => {
          const options = { ca: authority.cert, servername: "localhost", ALPNProtocols: ["h2"] };
          const socket = connectTls({ port, host: "127.0.0.1", ...options }, () => {
            resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
            socket.destroy();
          });
          socket.once("error", reject);
        }),
    );
    return new Set(await Promise.all(serials));
  }

  /** Waits until every reader of the files has logged this. */
  async function logged(text: string): Promise<void> {
    const count = () => server.output().split(text).length - 1;
    const before = seen.get(text) ?? 0;
    await expect.poll(count, { timeout: 60_000, interval: 50 }).toBe(before + READERS);
    seen.set(text, before + READERS);
  }
  const seen = new Map<string, number>();

  it("fails no call of an open connection, shows new ones the new certificate, and keeps a good one", async () => {
    const client = verifyClient();
    let calls = 0;
    const stop = new AbortController();
    const streaming = (async () => {
      while (!stop.signal.aborted) {
        const responses = await Promise.all(Array.from({ length: 4 }, () => client.verifyKey({ token })));
        for (const { reason } of responses) expect(reason).toBe(Reason.ALLOWED);
        calls += responses.length;
      }
    })();
    const [first] = await shown();

    put(await authority.issue());
    await logged("new connections get the certificate");
    const second = await shown();
    expect(second.size).toBe(1);
    expect(second).not.toContain(first);

    const { cert, key } = await authority.issue();
    const bad: [string, () => void | Promise<void>][] = [
      ["TLS_MISMATCH", () => write("tls.crt", cert)],
      ["TLS_UNREADABLE", () => write("tls.crt", cert.slice(0, cert.length / 2))],
      ["TLS_EXPIRED", async () => put(await authority.issue({ until: new Date(Date.now() - 5_000) }))],
    ];
    for (const [reason, change] of bad) {
      await change();
      await logged(`"reason":"${reason}"`);
      expect([reason, await shown()]).toEqual([reason, second]);
    }

    put({ cert, key });
    await logged("new connections get the certificate");
    const third = await shown();
    expect(third.size).toBe(1);
    expect([...third]).not.toEqual([...second]);

    const before = calls;
    await expect.poll(() => calls, { timeout: 20_000 }).toBeGreaterThan(before + 4);
    stop.abort();
    await streaming;
    expect(server.output()).not.toContain("PRIVATE KEY");
  });

  it("is called by the command line over TLS, which says what to do where that does not work", async () => {
    const address = `127.0.0.1:${portOf(server.grpc)}`;
    const verify = (...flags: readonly string[]) =>
      keywarden(["verify", "--verify-address", address, ...flags], { input: token });
    const ca = path("ca.crt");
    expect(await verify("--tls-ca", ca)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("allowed"),
    });
    expect(await verify()).toMatchObject({ code: 4, stderr: expect.stringContaining("add --tls-ca FILE") });
    expect(await verify("--tls")).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/is not trusted: .*\n.*--tls-ca FILE/),
    });
    expect(await verify("--tls-ca", ca, "--tls-server-name", "keys.example")).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/is for another name\n.*keys\.example.*\n.*--tls-server-name/),
    });
    write("other.key", "nothing");
    for (const [flags, problem] of [
      [["--tls-ca", path("nope")], /--tls-ca .*nope does not exist/],
      [["--tls-ca", path("other.key")], /--tls-ca .* holds no certificate/],
      [
        ["--tls-client-cert", ca, "--tls-client-key", path("other.key")],
        /--tls-client-key .* is not the unencrypted/,
      ],
    ] as const) {
      expect(await verify(...flags)).toMatchObject({ code: 2, stderr: expect.stringMatching(problem) });
    }
    const admin = ["--address", server.adminGrpc, "--tls-ca", ca];
    const variables = { KEYWARDEN_ADMIN_TOKEN: server.adminToken };
    expect(await keywarden(["key", "list", "--api", "c2p", ...admin], { variables })).toMatchObject({
      code: 0,
    });
  });
});

describe("a server that other machines reach", () => {
  beforeAll(async () => {
    own = await authority.issue({ names: ["URI:spiffe://example/unmapped"] });
    const callers = ["--tls-client-ca", path("ca.crt"), "--tls-callers", path("callers.yaml")];
    await setUp(["--grpc", AS_IF_PUBLIC, ...callers], own);
  });
  afterAll(async () => {
    await tearDown();
    own = undefined;
  });

  it("serves nobody without a credential or a mapped certificate", async () => {
    expect(await refusalOf(verifyClient(own).verifyKey({ token, environment: "test" }))).toMatchObject({
      status: "UNAUTHENTICATED",
      reason: "UNAUTHENTICATED",
    });
    expect(await refusalOf(verifyClient().verifyKey({ token }))).toMatchObject({ status: "UNAVAILABLE" });
    const credential = await callerCredential();
    const response = await verifyClient(own, credential).verifyKey({ token, environment: "test" });
    expect(response.reason).toBe(Reason.ALLOWED);
    const [wrong] = [`${credential.slice(0, -1)}${credential.endsWith("a") ? "b" : "a"}`];
    expect(await refusalOf(verifyClient(own, wrong).verifyKey({ token }))).toMatchObject({
      status: "UNAUTHENTICATED",
    });
  });

  it("serves a certificate that is mapped as the caller that it stands for, and hears of changes", async () => {
    const orders = verifyClient(await authority.issue({ names: ["URI:spiffe://example/orders"] }));
    expect((await orders.verifyKey({ token })).reason).toBe(Reason.ALLOWED);
    expect(await refusalOf(orders.verifyKey({ token, environment: "live" }))).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "CALLER_ENVIRONMENT",
      violations: [{ field: "environment", description: expect.stringContaining("the caller serves test") }],
    });
    write("callers.yaml", "- { san: spiffe://example/orders, api: c2p, environment: live }\n");
    await expect
      .poll(async () => (await orders.verifyKey({ token })).reason, { timeout: 60_000, interval: 50 })
      .toBe(Reason.WRONG_ENVIRONMENT);
    write("callers.yaml", "- { san: spiffe://example/orders, enviroment: live }\n");
    await expect
      .poll(() => server.output(), { timeout: 60_000, interval: 50 })
      .toContain("TLS_CALLERS_INVALID");
    write("callers.yaml", "- san: *.example.com\n");
    await expect
      .poll(() => server.output(), { timeout: 60_000, interval: 50 })
      .toContain("write what begins with * between quotes");
    expect((await orders.verifyKey({ token })).reason).toBe(Reason.WRONG_ENVIRONMENT);
  });

  it("lets no request contradict its caller, whole or in a batch", async () => {
    const client = verifyClient(own, await callerCredential({ apis: ["c2p"], environment: "test" }));
    expect((await client.verifyKey({ token })).reason).toBe(Reason.ALLOWED);
    expect(await refusalOf(client.verifyKey({ token, api: "keywarden" }))).toMatchObject({
      status: "INVALID_ARGUMENT",
      reason: "CALLER_API",
      violations: [{ field: "api" }],
    });
    const { results } = await client.batchVerifyKeys({ requests: [{ token }, { token, environment: "*" }] });
    expect(results.map(({ outcome }) => outcome.case)).toEqual(["response", "error"]);
  });

  it("is called by the command line with a credential and a client certificate", async () => {
    write("caller-token", `${await callerCredential({ apis: ["c2p"], environment: "test" })}\n`);
    write("client.crt", own!.cert);
    write("client.key", own!.key);
    const address = ["--verify-address", `127.0.0.1:${portOf(server.grpc)}`, "--tls-ca", path("ca.crt")];
    const certificate = ["--tls-client-cert", path("client.crt"), "--tls-client-key", path("client.key")];
    const verify = (...flags: readonly string[]) =>
      keywarden(["verify", ...address, ...flags], { input: token });
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

describe("a start is refused", () => {
  it.each([
    [
      "TLS_EXPIRED",
      "has expired",
      async () => put(await authority.issue({ until: new Date(Date.now() - 5_000) })),
    ],
    ["TLS_UNREADABLE", "cut off", async () => write("tls.crt", (await authority.issue()).cert.slice(0, 300))],
    ["TLS_MISMATCH", "is not the key", async () => write("tls.crt", (await authority.issue()).cert)],
  ])("with %s, before anything is touched", async (_, problem, change) => {
    put(await authority.issue());
    await change();
    const store = temporaryDirectory();
    const flags = ["--tls-cert", path("tls.crt"), "--tls-key", path("tls.key")];
    await expect(startKeywarden({ directory: store.path, flags })).rejects.toThrow(problem);
    expect(readdirSync(store.path)).toEqual([]);
    store.remove();
  });
});
