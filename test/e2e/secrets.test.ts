import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminService } from "../../src/gen/keywarden/v1/admin_service_pb.ts";
import { VerifyService } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";

const directory = temporaryDirectory();
let server: KeywardenProcess;
/** Every token that the run has issued. */
const tokens: string[] = [];
/** What errors said, on the wire and on a terminal. */
const said: string[] = [];

/** No part of a token that is longer than its hint may be anywhere. */
function expectNoToken(where: string, text: string): void {
  for (const token of tokens) {
    const secret = token.slice(token.lastIndexOf("_") + 1);
    for (const part of [secret.slice(0, 12), secret.slice(10, 22), secret.slice(-12)]) {
      if (text.includes(part)) throw new Error(`${where} holds a part of ${token.slice(0, 12)}…`);
    }
  }
}

beforeAll(async () => {
  server = await startKeywarden({
    directory: directory.path,
    flags: ["--log-level", "trace", "--environment", "test"],
  });
  tokens.push(server.adminToken);
  const admin = server.adminClient();
  await admin.createApi({
    api: { apiId: "c2p", displayName: "C2P", tokenPrefix: "c2p", environments: ["test", "live"] },
  });
  for (const environment of ["test", "live"]) {
    const { key, token } = await admin.createKey({
      key: { api: "c2p", environment, owner: "acct_1", scopes: ["a"] },
    });
    const rotated = await admin.rotateKey({ keyId: key!.keyId, grace: { seconds: 60n } });
    tokens.push(token, rotated.token);
  }
});
afterAll(async () => {
  await server.stop();
  directory.remove();
});

it("no error says back a token that was sent in the wrong field, whichever field of whichever method", async () => {
  await sendEverywhere(tokens.at(-1)!);
  // Shorter than any of ours, as imported ones may be, and made of what ids are made of.
  const imported = "sk_Abcdef0123456789";
  await sendEverywhere(imported);
  expect(said.length).toBeGreaterThan(60);
  for (const error of said) {
    expectNoToken("an error", error);
    expect(error).not.toContain(imported.slice(3));
  }
});

async function sendEverywhere(token: string): Promise<void> {
  const attempts: Promise<unknown>[] = [];
  const verify = server.verifyClient() as unknown as Record<string, (request: Message) => Promise<unknown>>;
  const admin = server.adminClient() as unknown as Record<string, (request: Message) => Promise<unknown>>;
  for (const [service, client] of [
    [VerifyService, verify],
    [AdminService, admin],
  ] as const) {
    for (const method of service.methods) {
      for (const request of filledWith(method.input, token)) {
        attempts.push(
          client[method.localName]!(request).catch((error) =>
            said.push(JSON.stringify([error, String(error)])),
          ),
        );
      }
    }
  }
  await Promise.all(attempts);
}

it("nothing that the run has left holds a token: log, database, log of the database, lock", async () => {
  for (const token of tokens)
    await server.verifyClient().verifyKey({ token, requiredScope: "b", environment: "*" });
  expectNoToken("the server's output", server.output());
  const files = readdirSync(directory.path).filter((name) => name !== "admin-token");
  expect(files).toContain("keywarden.db-wal");
  for (const file of files) expectNoToken(file, readFileSync(join(directory.path, file), "latin1"));
  for (const secret of ["pepper", "seal-key"]) {
    const text = readFileSync(join(directory.path, secret), "utf8").trim();
    for (const file of files.filter((name) => name !== secret)) {
      const bytes = readFileSync(join(directory.path, file));
      expect(bytes.includes(Buffer.from(text, "base64"))).toBe(false);
      expect(bytes.includes(text)).toBe(false);
    }
  }
});

it("no process shows a token to others, neither the server nor a command", async () => {
  const run = promisify(execFile);
  const command = run(process.execPath, [
    "bin/keywarden.mjs",
    "key",
    "list",
    "--json",
    "--address",
    server.adminGrpc,
    "--token-file",
    join(directory.path, "admin-token"),
  ]);
  const seen: string[] = [];
  do {
    for (const pid of [server.pid, command.child.pid]) {
      try {
        seen.push(
          readFileSync(`/proc/${pid}/cmdline`, "latin1"),
          readFileSync(`/proc/${pid}/environ`, "latin1"),
        );
      } catch {
        // It has ended.
      }
    }
    await new Promise(setImmediate);
  } while (command.child.exitCode === null);
  const { stdout, stderr } = await command;
  expect(seen.length).toBeGreaterThan(4);
  for (const text of [...seen, stdout, stderr]) expectNoToken("a process", text);
});

/** The message once for each string in it, with only that one set. */
function* filledWith(schema: DescMessage, text: string): Generator<Message> {
  for (const field of schema.fields) {
    for (const value of valuesFor(field, text)) {
      const message = create(schema);
      reflect(schema, message).set(field, value as never);
      yield message;
    }
  }
}

function* valuesFor(field: DescField, text: string): Generator<unknown> {
  const isString = field.scalar === 9;
  switch (field.fieldKind) {
    case "scalar":
      if (isString) yield text;
      return;
    case "message":
      for (const inner of filledWith(field.message, text)) yield reflect(field.message, inner);
      return;
    case "list": {
      const holder = create(field.parent);
      const list = reflect(field.parent, holder).get(field);
      if (field.listKind === "scalar" && isString) list.add(text);
      else if (field.listKind === "message") {
        for (const inner of filledWith(field.message, text)) {
          const one = reflect(field.parent, create(field.parent)).get(field);
          one.add(reflect(field.message, inner));
          yield one;
        }
        return;
      }
      if (list.size > 0) yield list;
      return;
    }
    case "map": {
      const map = reflect(field.parent, create(field.parent)).get(field);
      map.set(text, text);
      yield map;
      return;
    }
    default:
      return;
  }
}
