import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { AuditEvent_ActorKind } from "../../src/gen/keywarden/v1/audit_pb.ts";
import { Key_State } from "../../src/gen/keywarden/v1/key_pb.ts";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { backedUpStore, reasonOf } from "./backed-up-store.ts";
import { machineSession } from "./machine-session.ts";

const stored = backedUpStore();
const { backup, cli, data, issue, json, place, putBackup, start, tamper } = stored;

describe("a restore", () => {
  beforeEach(() => putBackup());

  const untouched = () => readFileSync(data("keywarden.db"));

  it("is refused while a server has the store", async () => {
    await start();
    const { code, stderr } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("is in use by another process");
    expect((await stored.admin.listKeys({ api: "a" })).keys).toHaveLength(1);
  });

  it("of a store that is there takes --force, and a yes", async () => {
    const before = untouched();
    expect((await cli(["restore", backup()])).stderr).toContain("say --force");
    expect((await cli(["restore", backup(), "--force"])).code).toBe(2);
    const no = await cli(["restore", backup(), "--force"], {
      terminal: true,
      answer: async () => "n",
    });
    expect(no.code).toBe(2);
    expect(untouched()).toEqual(before);
    const yes = await cli(["restore", backup(), "--force"], {
      terminal: true,
      answer: async () => "y",
    });
    expect(yes.code).toBe(0);
  });

  it("keeps the replaced store, which can be put back the same way it went", async () => {
    await start();
    const key = await issue();
    await stored.server.kill();
    const { replaced } = await json(["restore", backup(), "--force", "--yes"]);
    const { lost } = await json(["restore", replaced, "--force", "--yes"]);
    expect(lost).toMatchObject({ sameHistory: false, undone: [] });
    await start();
    expect(await reasonOf(stored.server.verifyClient(), key)).toBe(Reason.ALLOWED);
  });

  it("into a new place makes it, private, with the secrets that are put there", async () => {
    const elsewhere = place.path("new/data");
    mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
    for (const secret of ["pepper", "seal-key"]) copyFileSync(data(secret), join(elsewhere, secret));
    const { code, stdout } = await machineSession(elsewhere).cli(["restore", backup()]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("Lost");
    expect(statSync(join(elsewhere, "keywarden.db")).mode & 0o777).toBe(0o600);
    expect(readdirSync(elsewhere).toSorted()).toEqual([
      "keywarden.db",
      "keywarden.db.lock",
      "pepper",
      "seal-key",
    ]);
  });

  it("with another pepper or without a seal key is refused, and leaves nothing", async () => {
    const elsewhere = place.path("new");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "pepper"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
    copyFileSync(data("seal-key"), join(elsewhere, "seal-key"));
    const wrong = await machineSession(elsewhere).cli(["restore", backup()]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("the store was made with the peppers");
    copyFileSync(data("pepper"), join(elsewhere, "pepper"));
    rmSync(join(elsewhere, "seal-key"));
    expect((await machineSession(elsewhere).cli(["restore", backup()])).stderr).toContain(
      "seal-key does not exist",
    );
    expect(readdirSync(elsewhere)).toEqual(["pepper"]);
  });

  it("of a backup that somebody has edited is refused, and leaves the store as it was", async () => {
    const before = untouched();
    const db = new Database(backup());
    db.exec(`UPDATE keys SET owner = 'mallory' WHERE api = 'a'`);
    db.close();
    const { code, stderr } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("SEAL_BROKEN");
    expect(untouched()).toEqual(before);
    expect(readdirSync(data()).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
  });

  it("of a backup with a trigger that somebody has put in is refused", async () => {
    const db = new Database(backup());
    db.exec("CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM audit_events; END");
    db.close();
    const { code, stderr } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`the schema of ${backup()} is not the one that Keywarden made`);
    expect(stderr).toContain("trigger t");
  });

  it.each<[string, string, () => void]>([
    ["no backup", "there is no backup at", () => rmSync(backup())],
    ["an empty file", "is empty", () => writeFileSync(backup(), "")],
    ["some other file", "can't be read as a database", () => writeFileSync(backup(), "x".repeat(8192))],
    [
      "half a backup",
      "can't be read as a database",
      () => writeFileSync(backup(), readFileSync(backup()).subarray(0, 20_000)),
    ],
    ["a database in use", "has a log beside it", () => writeFileSync(`${backup()}-wal`, "x")],
    [
      "another program's database",
      "belongs to another application",
      () => {
        const db = new Database(backup());
        db.pragma("application_id = 7");
        db.close();
      },
    ],
  ])("of %s is refused", async (_what, message, spoil) => {
    const before = untouched();
    spoil();
    const { code, stderr } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(untouched()).toEqual(before);
  });

  it("says of a store that is beyond reading that nobody can say what was lost, and keeps it", async () => {
    writeFileSync(data("keywarden.db"), "x".repeat(8192));
    const { code, stdout } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Nobody can say what was lost since");
    const kept = readdirSync(data()).find((name) => name.includes("replaced")) ?? "";
    expect(readFileSync(data(kept), "utf8")).toBe("x".repeat(8192));
    await start();
  });

  it("does not replace another program's database", async () => {
    tamper("PRAGMA application_id = 7");
    const { code, stderr } = await cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("belongs to another application");
  });

  it("is in the audit of what was restored, with what it has undone, and the audit stays whole", async () => {
    await start();
    const { keyId } = (await stored.admin.listKeys({ api: "a" })).keys[0]!;
    await stored.admin.revokeKey({ keyId });
    const { events: before } = await stored.admin.listAuditEvents({ pageSize: 1 });
    await stored.server.stop();
    const { revision, lost } = await json(["restore", backup(), "--force", "--yes"]);
    const { revision: end, hash } = before[0]!;
    expect(lost).toMatchObject({ revision: Number(end), hash, changes: 1 });
    await start();
    const { events } = await stored.admin.listAuditEvents({ pageSize: 1, action: "Restore" });
    expect(events).toMatchObject([
      {
        revision: BigInt(revision + 1),
        action: "Restore",
        actorKind: AuditEvent_ActorKind.MACHINE,
        actorKeyId: "",
        recordId: "keywarden",
        requestId:
          `restored by ${userInfo().username}, in place of a store at revision ${end} (${hash}); ` +
          "changes undone: 1",
        before: "{}",
        after: "{}",
      },
    ]);
    const listed = await json(["audit", "list", "--action", "Restore"], {
      variables: {
        KEYWARDEN_ADDRESS: stored.server.adminGrpc,
        KEYWARDEN_ADMIN_TOKEN: stored.server.adminToken,
      },
    });
    expect(listed.events[0].requestId).toBe(events[0]!.requestId);
    expect((await stored.admin.verifyAudit({})).problems).toEqual([]);
    expect((await stored.admin.listKeys({ api: "a" })).keys).toMatchObject([
      { keyId, state: Key_State.ACTIVE },
    ]);
    await stored.server.stop();
    const { findings } = await json(["doctor"]);
    expect(findings.filter(({ severity }: { severity: string }) => severity === "error")).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["where there was no store", () => rmSync(data("keywarden.db"))],
    [
      "in place of a store that could not be read",
      () => writeFileSync(data("keywarden.db"), "x".repeat(8192)),
    ],
  ])("%s is in the audit as such", async (words, spoil) => {
    spoil();
    expect((await cli(["restore", backup(), "--force", "--yes"])).code).toBe(0);
    await start();
    const { events } = await stored.admin.listAuditEvents({ pageSize: 1 });
    expect(events).toMatchObject([
      { action: "Restore", requestId: `restored by ${userInfo().username}, ${words}` },
    ]);
    expect((await stored.admin.verifyAudit({})).problems).toEqual([]);
  });

  const asAnotherUser = process.getuid?.() === 0;
  if (!asAnotherUser) {
    console.warn("NOT TRIED: a restore by root for a server of another user. It takes root.");
  }

  it.runIf(asAnotherUser).each([
    ["in place of a store", true],
    ["where only its directory is left", false],
  ])("by root, %s, leaves one that the server's own user can open", async (_where, isThere) => {
    const [uid, gid] = [65_534, 65_533];
    chmodSync(place.directory, 0o711);
    for (const name of [".", ...readdirSync(data())]) chownSync(data(name), uid, gid);
    if (!isThere) {
      for (const name of readdirSync(data())) {
        if (name.startsWith("keywarden.db")) rmSync(data(name));
      }
    }
    expect((await cli(["restore", backup(), "--force", "--yes"])).code).toBe(0);
    for (const name of ["keywarden.db", "keywarden.db.lock"]) {
      const { uid: owner, gid: group, mode } = statSync(data(name));
      expect([name, owner, group, mode & 0o777]).toEqual([name, uid, gid, 0o600]);
    }
    const under = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    await start({ under });
    expect((await stored.server.adminClient().listKeys({ api: "a" })).keys).toHaveLength(1);
    expect(readdirSync(data()).filter((name) => name.includes("restoring"))).toEqual([]);
  });

  it("lists what to type for each revocation that it has undone", async () => {
    await start();
    const [key] = (await stored.admin.listKeys({ api: "a" })).keys;
    const { keyId } = key!;
    await stored.admin.revokeKey({ keyId });
    await stored.server.kill();
    const { stdout } = await cli(["restore", backup(), "--force", "--yes"]);
    const command = stdout.split("\n").find((line) => line.includes("key revoke")) ?? "";
    expect(command.trim()).toBe(`keywarden key revoke ${keyId} --yes`);
    await start();
    const { stdout: done } = await cli(command.trim().split(" ").slice(1), {
      variables: { KEYWARDEN_ADDRESS: stored.server.adminGrpc, KEYWARDEN_TOKEN_FILE: data("admin-token") },
    });
    expect(done).toContain("Revoked");
  });
});
