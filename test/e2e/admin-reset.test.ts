import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { beforeEach, expect, it } from "vitest";
import type { KeywardenProcess } from "../support/keywarden-process.ts";
import { placePerTest } from "../support/place-per-test.ts";
import { machineSession } from "./machine-session.ts";

const place = placePerTest();
let server: KeywardenProcess;
let session: ReturnType<typeof machineSession>;
const tokenFile = () => readFileSync(place.path("admin-token"), "utf8").trim();

beforeEach(async () => {
  server = await place.start();
  session = machineSession(place.directory);
});

/** The command line, pointed at the server, with this admin token. */
const calling = (token: string) => (args: readonly string[]) =>
  session.cli(args, { variables: { KEYWARDEN_ADDRESS: server.adminGrpc, KEYWARDEN_ADMIN_TOKEN: token } });

it("a lost admin token is replaced, which the audit says, and the lost one ends with the command that it prints", async () => {
  const lost = tokenFile();
  await server.stop();
  const { code, stdout, stderr } = await session.cli(["admin", "reset", "--yes"]);
  expect(code).toBe(0);
  const fresh = tokenFile();
  expect(fresh).not.toBe(lost);
  expect(stdout + stderr).not.toContain(fresh);
  expect(stdout).toContain(place.path("admin-token"));
  expect(statSync(place.path("admin-token")).mode & 0o777).toBe(0o600);
  expect(readdirSync(place.directory)).not.toContain("admin-token.reset");

  server = await place.start();
  const [, keyId = ""] = /administrator (\S+)\n/.exec(stdout) ?? [];
  const { events } = await server.adminClient().listAuditEvents({ recordId: keyId });
  expect(events).toMatchObject([
    { action: "CreateKey", actorKeyId: "", requestId: `reset by ${userInfo().username}` },
  ]);
  expect((await server.adminClient().verifyAudit({})).problems).toEqual([]);
  const listed = await calling(fresh)(["audit", "list"]);
  expect(listed.stdout).toMatch(/machine/i);

  expect((await calling(lost)(["api", "list"])).code).toBe(0);
  const command = stdout.split("\n").find((line) => line.includes("key revoke")) ?? "";
  const [line = ""] = command.trim().split("#");
  expect((await calling(fresh)(line.trim().split(" ").slice(1))).stdout).toContain("Revoked");
  const refused = await calling(lost)(["api", "list"]);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain("does not accept the admin token");
});

it("is refused while a server has the store, and leaves the token alone", async () => {
  const before = tokenFile();
  const { code, stderr } = await session.cli(["admin", "reset", "--yes"]);
  expect(code).toBe(2);
  expect(stderr).toContain("is in use by another process");
  expect(stderr).toContain("stop that one");
  expect(tokenFile()).toBe(before);
});

it("asks first, and takes only a yes", async () => {
  await server.stop();
  const before = tokenFile();
  expect((await session.cli(["admin", "reset"])).stderr).toContain("--yes");
  const no = await session.cli(["admin", "reset"], { terminal: true, answer: async () => "no" });
  expect(no.code).toBe(2);
  expect(tokenFile()).toBe(before);
  const yes = await session.cli(["admin", "reset"], { terminal: true, answer: async () => "yes" });
  expect(yes.code).toBe(0);
  expect(tokenFile()).not.toBe(before);
});

it("takes the store's own secrets, and makes none", async () => {
  await server.stop();
  const before = tokenFile();
  const pepper = readFileSync(place.path("pepper"));
  writeFileSync(place.path("pepper"), `${Buffer.alloc(32, 9).toString("base64")}\n`);
  expect((await session.cli(["admin", "reset", "--yes"])).stderr).toContain("was made with the pepper");
  writeFileSync(place.path("pepper"), pepper);
  rmSync(place.path("seal-key"));
  expect((await session.cli(["admin", "reset", "--yes"])).stderr).toContain("seal-key does not exist");
  // Nor if somebody makes the store look as if it had never had any.
  session.tamper("DELETE FROM seal_keys");
  expect((await session.cli(["admin", "reset", "--yes"])).stderr).toContain("seal-key does not exist");
  expect(existsSync(place.path("seal-key"))).toBe(false);
  expect(tokenFile()).toBe(before);
});

it("makes no store where there is none", async () => {
  const elsewhere = machineSession(place.path("none"));
  const { code, stderr } = await elsewhere.cli(["admin", "reset", "--yes"]);
  expect(code).toBe(2);
  expect(stderr).toContain("there is no store at");
  expect(existsSync(place.path("none"))).toBe(false);
});

it("says as JSON what it has made, and who else administers", async () => {
  await server.stop();
  const reset = await session.json(["admin", "reset", "--yes"]);
  expect(reset).toEqual({
    keyId: expect.any(String),
    tokenFile: place.path("admin-token"),
    others: [
      {
        keyId: expect.any(String),
        displayName: "bootstrap admin",
        hint: expect.stringMatching(/^kw_live_/),
        createTime: expect.any(Number),
      },
    ],
  });
});
