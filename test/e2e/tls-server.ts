import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type ClientTls, createRpcClient } from "../../src/cli/rpc-client.ts";
import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { createTestAuthority, type TestAuthority, type TestCertificate } from "../support/certificates.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";

export function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}

/** For all tests of a file, the files that TLS takes, and a server that is started with them by `setUp`. */
export function tlsServer() {
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
      directory: path("store"),
      flags: ["--tls-cert", path("tls.crt"), "--tls-key", path("tls.key"), ...flags],
    });
    const admin = adminClient(own);
    await admin.createApi({
      api: { apiId: "c2p", displayName: "C2P", tokenPrefix: "c2p", environments: ["test", "live"] },
    });
    const created = await admin.createKey({ key: { api: "c2p", environment: "test", owner: "a" } });
    token = created.token;
  }

  async function tearDown(): Promise<void> {
    for (const client of clients.splice(0)) client.close();
    await server.stop();
  }

  return {
    path,
    write,
    put,
    verifyClient,
    adminClient,
    setUp,
    tearDown,
    get authority() {
      return authority;
    },
    get server() {
      return server;
    },
    /** Of a key of the API `c2p` in `test`. */
    get token() {
      return token;
    },
  };
}
