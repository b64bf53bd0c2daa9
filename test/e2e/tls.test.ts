import { readdirSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { keywarden } from "../support/command-line.ts";
import { startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";
import { portOf, tlsServer } from "./tls-server.ts";

const WORKERS = 2;
/** Each verification thread, and the admin plane. */
const READERS = WORKERS + 1;

const tls = tlsServer();
const { path, put, setUp, tearDown, verifyClient, write } = tls;

describe("a server whose certificate changes while it serves", () => {
  beforeAll(() => setUp(["--workers", String(WORKERS), "--environment", "test"]));
  afterAll(tearDown);

  /** The serial numbers of the certificates that new connections are shown, on both planes. */
  async function shown(): Promise<ReadonlySet<string>> {
    const ports = [...Array.from({ length: 8 }, () => portOf(tls.server.grpc)), portOf(tls.server.adminGrpc)];
    const serials = ports.map(
      (port) =>
        new Promise<string>((resolve, reject) => {
          const options = { ca: tls.authority.cert, servername: "localhost", ALPNProtocols: ["h2"] };
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
    const count = () => tls.server.output().split(text).length - 1;
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
        const responses = await Promise.all(
          Array.from({ length: 4 }, () => client.verifyKey({ token: tls.token })),
        );
        for (const { reason } of responses) expect(reason).toBe(Reason.ALLOWED);
        calls += responses.length;
      }
    })();
    const [first] = await shown();

    put(await tls.authority.issue());
    await logged("new connections get the certificate");
    const second = await shown();
    expect(second.size).toBe(1);
    expect(second).not.toContain(first);

    const { cert, key } = await tls.authority.issue();
    const bad: [string, () => void | Promise<void>][] = [
      ["TLS_MISMATCH", () => write("tls.crt", cert)],
      ["TLS_UNREADABLE", () => write("tls.crt", cert.slice(0, cert.length / 2))],
      ["TLS_EXPIRED", async () => put(await tls.authority.issue({ until: new Date(Date.now() - 5_000) }))],
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
    expect(tls.server.output()).not.toContain("PRIVATE KEY");
  });

  it("is called by the command line over TLS, which says what to do where that does not work", async () => {
    const address = `127.0.0.1:${portOf(tls.server.grpc)}`;
    const verify = (...flags: readonly string[]) =>
      keywarden(["verify", "--verify-address", address, ...flags], { input: tls.token });
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
    const admin = ["--address", tls.server.adminGrpc, "--tls-ca", ca];
    const variables = { KEYWARDEN_ADMIN_TOKEN: tls.server.adminToken };
    expect(await keywarden(["key", "list", "--api", "c2p", ...admin], { variables })).toMatchObject({
      code: 0,
    });
  });
});

describe("a start is refused", () => {
  it.each([
    [
      "TLS_EXPIRED",
      "has expired",
      async () => put(await tls.authority.issue({ until: new Date(Date.now() - 5_000) })),
    ],
    [
      "TLS_UNREADABLE",
      "cut off",
      async () => write("tls.crt", (await tls.authority.issue()).cert.slice(0, 300)),
    ],
    ["TLS_MISMATCH", "is not the key", async () => write("tls.crt", (await tls.authority.issue()).cert)],
  ])("with %s, before anything is touched", async (_, problem, change) => {
    put(await tls.authority.issue());
    await change();
    const store = temporaryDirectory();
    const flags = ["--tls-cert", path("tls.crt"), "--tls-key", path("tls.key")];
    await expect(startKeywarden({ directory: store.path, flags })).rejects.toThrow(problem);
    expect(readdirSync(store.path)).toEqual([]);
    store.remove();
  });
});
