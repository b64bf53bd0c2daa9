import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestAuthority } from "../support/certificates.ts";
import { keywarden } from "../support/command-line.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";

/** An address that only this machine reaches, in a spelling that is not counted as such: callers need a credential. */
const AS_IF_PUBLIC = "[::ffff:127.0.0.1]:0";

const directory = temporaryDirectory();
const path = (name: string) => join(directory.path, name);
let server: KeywardenProcess;
/** As a container has them, for its server and its probe. */
let variables: Record<string, string>;

beforeAll(async () => {
  const authority = await createTestAuthority();
  const { cert, key } = await authority.issue({ names: ["DNS:keywarden.internal"] });
  for (const [name, content] of Object.entries({ cert, key, ca: authority.cert })) {
    writeFileSync(path(name), content, { mode: 0o600 });
  }
  const flags = ["--grpc", AS_IF_PUBLIC, "--tls-cert", path("cert"), "--tls-key", path("key")];
  server = await startKeywarden({ directory: directory.path, flags });
  variables = {
    KEYWARDEN_VERIFY_ADDRESS: server.grpc,
    KEYWARDEN_ADDRESS: server.adminGrpc,
    KEYWARDEN_TLS_CA: path("ca"),
    KEYWARDEN_TLS_SERVER_NAME: "keywarden.internal",
  };
});
afterAll(async () => {
  await server.stop();
  directory.remove();
});

describe("keywarden health, of a server that other machines reach", () => {
  it("needs no credential, over TLS, on either plane", async () => {
    expect(await keywarden(["health"], { variables })).toMatchObject({ code: 0, stderr: "" });
    expect(await keywarden(["health", "--admin", "-q"], { variables })).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  it("says what is missing to a probe without TLS", async () => {
    const plain = await keywarden(["health", "--verify-address", server.grpc]);
    expect(plain).toMatchObject({ code: 4, stderr: expect.stringContaining("--tls") });
  });

  it("does not take another server for this one", async () => {
    const named = { ...variables, KEYWARDEN_TLS_SERVER_NAME: "other.internal" };
    expect((await keywarden(["health", "--quiet"], { variables: named })).code).toBe(4);
  });

  it("says even with --quiet which file cannot be read", async () => {
    const outcome = await keywarden(["health", "--quiet", "--tls-ca", path("none")], { variables });
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining(path("none")) });
  });
});
