import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
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
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AuditEvent_ActorKind, AuditProblem_Kind } from "../../src/gen/keywarden/v1/audit_pb.ts";
import { Key_State } from "../../src/gen/keywarden/v1/key_pb.ts";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { WITH_OWN_MOUNTS } from "../faults/store-open-processes.ts";
import {
  type AdminClient,
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
  type VerifyClient,
} from "../support/keywarden-process.ts";
import { machineSession } from "./machine-session.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let server: KeywardenProcess;
let admin: AdminClient;
let session: ReturnType<typeof machineSession>;
const data = () => join(directory.path, "data");
const backup = () => join(directory.path, "backup.db");

/** A store with an API and a key, and a backup of it. */
const template = temporaryDirectory();

beforeAll(async () => {
  server = await startKeywarden({ directory: join(template.path, "data") });
  admin = server.adminClient();
  await admin.createApi({ api: { apiId: "a", displayName: "A", tokenPrefix: "aa", environments: ["test"] } });
  await issue();
  await server.stop();
  await machineSession(join(template.path, "data")).cli(["backup", join(template.path, "backup.db")]);
});
afterAll(() => template.remove());

beforeEach(() => {
  directory = temporaryDirectory();
  cpSync(join(template.path, "data"), data(), { recursive: true });
  session = machineSession(data());
});
afterEach(async () => {
  await server.stop();
  directory.remove();
});

async function start(): Promise<void> {
  server = await startKeywarden({ directory: data() });
  admin = server.adminClient();
}

interface Issued {
  readonly keyId: string;
  readonly token: string;
  /** Of the change that made it. */
  readonly revision: number;
}

async function issue(): Promise<Issued> {
  const { key, token } = await admin.createKey({ key: { api: "a", environment: "test", owner: "o" } });
  return { keyId: key!.keyId, token, revision: Number(key!.etag) };
}

async function reasonOf(verifier: VerifyClient, { token }: Issued): Promise<Reason> {
  return (await verifier.verifyKey({ token })).reason;
}

/** Callers who create and verify keys until they are told to stop. */
function underLoad() {
  const issued: Issued[] = [];
  const stopping = new AbortController();
  const verifier = server.verifyClient();
  const lane = async () => {
    while (!stopping.signal.aborted) {
      const key = await issue();
      issued.push(key);
      await verifier.verifyKey({ token: key.token });
    }
  };
  const lanes = Array.from({ length: 8 }, lane);
  return {
    issued,
    async stop() {
      stopping.abort();
      await Promise.all(lanes);
    },
  };
}

it("a backup under load, restored after a kill, has every key up to its revision and nothing later", async () => {
  await start();
  const [kept, revoked, disabled, rotated] = [await issue(), await issue(), await issue(), await issue()];
  const [ended, enabled] = [await issue(), await issue()];
  await admin.rotateKey({ keyId: ended.keyId, grace: { seconds: 3600n } });
  const load = underLoad();
  await expect.poll(() => load.issued.length).toBeGreaterThan(50);
  const copy = await session.json(["backup", backup()]);
  const atBackup = load.issued.length;
  await expect.poll(() => load.issued.length).toBeGreaterThan(atBackup + 50);
  await load.stop();
  await admin.revokeKey({ keyId: revoked.keyId });
  await admin.disableKey({ keyId: disabled.keyId });
  await admin.rotateKey({ keyId: rotated.keyId, grace: { seconds: 3600n } });
  await admin.endGrace({ keyId: rotated.keyId });
  await admin.endGrace({ keyId: ended.keyId });
  await admin.disableKey({ keyId: enabled.keyId });
  await admin.enableKey({ keyId: enabled.keyId });
  const later = await issue();
  await admin.revokeKey({ keyId: later.keyId });
  const { checkpoint } = await admin.createAuditCheckpoint({});
  await server.kill();

  const { lost, replaced, revision } = await session.json(["restore", backup(), "--force", "--yes"]);
  expect(revision).toBe(copy.revision);
  expect(lost.revision).toBe(Number(checkpoint!.revision));
  expect(lost.changes).toBe(lost.revision - revision);
  expect(lost.undone.map(({ keyId, what }: { keyId: string; what: string }) => `${what} ${keyId}`)).toEqual([
    `revoked ${revoked.keyId}`,
    `disabled ${disabled.keyId}`,
    `rotated ${rotated.keyId}`,
    `grace ended ${ended.keyId}`,
  ]);
  expect(existsSync(replaced)).toBe(true);

  await start();
  const verifier = server.verifyClient();
  const all = [kept, revoked, disabled, rotated, ended, enabled, later, ...load.issued];
  const reasons = await Promise.all(all.map((key) => reasonOf(verifier, key)));
  const expected = all.map((key) => (key.revision <= revision ? Reason.ALLOWED : Reason.UNKNOWN_TOKEN));
  expect(reasons).toEqual(expected);
  expect(new Set(expected).size).toBe(2);
  expect((await admin.verifyAudit({})).problems).toEqual([]);
  const { problems } = await admin.verifyAudit({ checkpoint: checkpoint! });
  expect(problems.map(({ kind }) => kind)).toEqual([AuditProblem_Kind.TRUNCATED]);
});

describe("a backup", () => {
  it("is one file that only its owner can read, whatever the umask, and does not touch the store", async () => {
    await start();
    const before = process.umask(0);
    const { code, stdout } = await session.cli(["backup", backup()]);
    process.umask(before);
    expect(code).toBe(0);
    expect(stdout).toContain("The secrets are not in it.");
    expect(stdout).toContain(join(data(), "seal-key"));
    expect(readdirSync(directory.path).toSorted()).toEqual(["backup.db", "data"]);
    expect(statSync(backup()).mode & 0o777).toBe(0o600);
  });

  it("works without a server, and leaves nothing beside the store", async () => {
    const before = readdirSync(data());
    expect((await session.cli(["backup", backup()])).code).toBe(0);
    expect(readdirSync(data())).toEqual(before);
  });

  it("overwrites nothing unless it is told to", async () => {
    writeFileSync(backup(), "precious");
    const refused = await session.cli(["backup", backup()]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(readFileSync(backup(), "utf8")).toBe("precious");
    expect((await session.cli(["backup", backup(), "--force"])).code).toBe(0);
    expect(new Database(backup(), { readonly: true }).pragma("integrity_check")).toEqual([
      { integrity_check: "ok" },
    ]);
  });

  it.each(["keywarden.db", "keywarden.db-wal", "pepper", "admin-token"])(
    "is not written over the store's own %s, not even with --force",
    async (name) => {
      if (name === "keywarden.db-wal") writeFileSync(join(data(), name), "");
      const before = readFileSync(join(data(), name));
      const { code, stderr } = await session.cli(["backup", join(data(), name), "--force"]);
      expect(code).toBe(2);
      expect(stderr).toContain("belongs to the store itself");
      expect(readFileSync(join(data(), name))).toEqual(before);
    },
  );

  it("of a store that somebody has edited is refused, and not kept", async () => {
    session.tamper(`UPDATE keys SET scopes = '["*"]' WHERE api = 'a'`);
    const { code, stderr } = await session.cli(["backup", backup()]);
    expect(code).toBe(1);
    expect(stderr).toContain("SEAL_BROKEN");
    expect(readdirSync(directory.path)).toEqual(["data"]);
  });

  it("without the seal key is refused: nobody could say whether it is sound", async () => {
    rmSync(join(data(), "seal-key"));
    const { code, stderr } = await session.cli(["backup", backup()]);
    expect(code).toBe(2);
    expect(stderr).toContain("seal-key does not exist");
    expect(existsSync(join(data(), "seal-key"))).toBe(false);
  });

  it("where there is no store, or no directory to write to, says so", async () => {
    const elsewhere = machineSession(join(directory.path, "none"));
    expect((await elsewhere.cli(["backup", backup()])).stderr).toContain("there is no store at");
    expect(existsSync(join(directory.path, "none"))).toBe(false);
    const { code, stderr } = await session.cli(["backup", join(directory.path, "none", "b.db")]);
    expect(code).toBe(2);
    expect(stderr).toContain("could not be written (ENOENT)");
  });

  it("that is interrupted leaves no file", async () => {
    const unfinished = join(directory.path, "unfinished");
    writeFileSync(unfinished, "");
    const child = spawn(process.execPath, [join(import.meta.dirname, "backup-interrupted.ts"), unfinished], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const exited = once(child, "exit");
    child.kill("SIGINT");
    expect(await exited).toEqual([null, "SIGINT"]);
    expect(existsSync(unfinished)).toBe(false);
  });
});

if (WITH_OWN_MOUNTS === undefined) {
  console.warn(
    "NOT TRIED: a backup to a full disk. It takes Linux, with user namespaces or as root that may mount.",
  );
}

it.runIf(WITH_OWN_MOUNTS !== undefined)(
  "a backup or a restore to a disk that is too small, or fills, leaves no file",
  async () => {
    await start();
    for (let count = 0; count < 300; count++) await issue();
    await session.cli(["backup", backup()]);
    const disk = join(directory.path, "disk");
    mkdirSync(disk);
    const [program = "", ...args] = WITH_OWN_MOUNTS ?? [];
    const script = join(import.meta.dirname, "backup-small-disk.ts");
    const child = spawn(program, [...args, process.execPath, script, data(), backup(), disk], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (chunk) => (printed += chunk));
    await once(child, "close");
    expect(JSON.parse(printed)).toEqual({
      refused: "COPY_DISK_FULL",
      restoreRefused: "COPY_DISK_FULL",
      left: [],
      whenItFills: "COPY_DISK_FULL",
    });
  },
);

describe("a restore", () => {
  beforeEach(() => copyFileSync(join(template.path, "backup.db"), backup()));

  const untouched = () => readFileSync(session.store);

  it("is refused while a server has the store", async () => {
    await start();
    const { code, stderr } = await session.cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("is in use by another process");
    expect((await admin.listKeys({ api: "a" })).keys).toHaveLength(1);
  });

  it("of a store that is there takes --force, and a yes", async () => {
    const before = untouched();
    expect((await session.cli(["restore", backup()])).stderr).toContain("say --force");
    expect((await session.cli(["restore", backup(), "--force"])).code).toBe(2);
    const no = await session.cli(["restore", backup(), "--force"], {
      terminal: true,
      answer: async () => "n",
    });
    expect(no.code).toBe(2);
    expect(untouched()).toEqual(before);
    const yes = await session.cli(["restore", backup(), "--force"], {
      terminal: true,
      answer: async () => "y",
    });
    expect(yes.code).toBe(0);
  });

  it("keeps the replaced store, which can be put back the same way it went", async () => {
    await start();
    const key = await issue();
    await server.kill();
    const { replaced } = await session.json(["restore", backup(), "--force", "--yes"]);
    const { lost } = await session.json(["restore", replaced, "--force", "--yes"]);
    expect(lost).toMatchObject({ sameHistory: false, undone: [] });
    await start();
    expect(await reasonOf(server.verifyClient(), key)).toBe(Reason.ALLOWED);
  });

  it("into a new place makes it, private, with the secrets that are put there", async () => {
    const place = join(directory.path, "new", "data");
    mkdirSync(place, { recursive: true, mode: 0o700 });
    for (const secret of ["pepper", "seal-key"]) copyFileSync(join(data(), secret), join(place, secret));
    const { code, stdout } = await machineSession(place).cli(["restore", backup()]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("Lost");
    expect(statSync(join(place, "keywarden.db")).mode & 0o777).toBe(0o600);
    expect(readdirSync(place).toSorted()).toEqual([
      "keywarden.db",
      "keywarden.db.lock",
      "pepper",
      "seal-key",
    ]);
  });

  it("with another pepper or without a seal key is refused, and leaves nothing", async () => {
    const place = join(directory.path, "new");
    mkdirSync(place);
    writeFileSync(join(place, "pepper"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
    copyFileSync(join(data(), "seal-key"), join(place, "seal-key"));
    const wrong = await machineSession(place).cli(["restore", backup()]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("the store was made with the peppers");
    copyFileSync(join(data(), "pepper"), join(place, "pepper"));
    rmSync(join(place, "seal-key"));
    expect((await machineSession(place).cli(["restore", backup()])).stderr).toContain(
      "seal-key does not exist",
    );
    expect(readdirSync(place)).toEqual(["pepper"]);
  });

  it("of a backup that somebody has edited is refused, and leaves the store as it was", async () => {
    const before = untouched();
    const db = new Database(backup());
    db.exec(`UPDATE keys SET owner = 'mallory' WHERE api = 'a'`);
    db.close();
    const { code, stderr } = await session.cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("SEAL_BROKEN");
    expect(untouched()).toEqual(before);
    expect(readdirSync(data()).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
  });

  it("of a backup with a trigger that somebody has put in is refused", async () => {
    const db = new Database(backup());
    db.exec("CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM audit_events; END");
    db.close();
    const { code, stderr } = await session.cli(["restore", backup(), "--force", "--yes"]);
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
    const { code, stderr } = await session.cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(untouched()).toEqual(before);
  });

  it("says of a store that is beyond reading that nobody can say what was lost, and keeps it", async () => {
    writeFileSync(session.store, "x".repeat(8192));
    const { code, stdout } = await session.cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Nobody can say what was lost since");
    const kept = readdirSync(data()).find((name) => name.includes("replaced")) ?? "";
    expect(readFileSync(join(data(), kept), "utf8")).toBe("x".repeat(8192));
    await start();
  });

  it("does not replace another program's database", async () => {
    session.tamper("PRAGMA application_id = 7");
    const { code, stderr } = await session.cli(["restore", backup(), "--force", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("belongs to another application");
  });

  it("is in the audit of what was restored, with what it has undone, and the audit stays whole", async () => {
    await start();
    const { keyId } = (await admin.listKeys({ api: "a" })).keys[0]!;
    await admin.revokeKey({ keyId });
    const { events: before } = await admin.listAuditEvents({ pageSize: 1 });
    await server.stop();
    const { revision, lost } = await session.json(["restore", backup(), "--force", "--yes"]);
    const { revision: end, hash } = before[0]!;
    expect(lost).toMatchObject({ revision: Number(end), hash, changes: 1 });
    await start();
    const { events } = await admin.listAuditEvents({ pageSize: 1, action: "Restore" });
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
    const listed = await session.json(["audit", "list", "--action", "Restore"], {
      variables: { KEYWARDEN_ADDRESS: server.adminGrpc, KEYWARDEN_ADMIN_TOKEN: server.adminToken },
    });
    expect(listed.events[0].requestId).toBe(events[0]!.requestId);
    expect((await admin.verifyAudit({})).problems).toEqual([]);
    expect((await admin.listKeys({ api: "a" })).keys).toMatchObject([{ keyId, state: Key_State.ACTIVE }]);
    await server.stop();
    const { findings } = await session.json(["doctor"]);
    expect(findings.filter(({ severity }: { severity: string }) => severity === "error")).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["where there was no store", () => rmSync(session.store)],
    ["in place of a store that could not be read", () => writeFileSync(session.store, "x".repeat(8192))],
  ])("%s is in the audit as such", async (words, spoil) => {
    spoil();
    expect((await session.cli(["restore", backup(), "--force", "--yes"])).code).toBe(0);
    await start();
    const { events } = await admin.listAuditEvents({ pageSize: 1 });
    expect(events).toMatchObject([
      { action: "Restore", requestId: `restored by ${userInfo().username}, ${words}` },
    ]);
    expect((await admin.verifyAudit({})).problems).toEqual([]);
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
    chmodSync(directory.path, 0o711);
    for (const name of [".", ...readdirSync(data())]) chownSync(join(data(), name), uid, gid);
    if (!isThere) {
      for (const name of readdirSync(data())) {
        if (name.startsWith("keywarden.db")) rmSync(join(data(), name));
      }
    }
    expect((await session.cli(["restore", backup(), "--force", "--yes"])).code).toBe(0);
    for (const name of ["keywarden.db", "keywarden.db.lock"]) {
      const { uid: owner, gid: group, mode } = statSync(join(data(), name));
      expect([name, owner, group, mode & 0o777]).toEqual([name, uid, gid, 0o600]);
    }
    const under = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    server = await startKeywarden({ directory: data(), under });
    expect((await server.adminClient().listKeys({ api: "a" })).keys).toHaveLength(1);
    expect(readdirSync(data()).filter((name) => name.includes("restoring"))).toEqual([]);
  });

  it("lists what to type for each revocation that it has undone", async () => {
    await start();
    const [key] = (await admin.listKeys({ api: "a" })).keys;
    const { keyId } = key!;
    await admin.revokeKey({ keyId });
    await server.kill();
    const { stdout } = await session.cli(["restore", backup(), "--force", "--yes"]);
    const command = stdout.split("\n").find((line) => line.includes("key revoke")) ?? "";
    expect(command.trim()).toBe(`keywarden key revoke ${keyId} --yes`);
    await start();
    const { stdout: done } = await session.cli(command.trim().split(" ").slice(1), {
      variables: { KEYWARDEN_ADDRESS: server.adminGrpc, KEYWARDEN_TOKEN_FILE: join(data(), "admin-token") },
    });
    expect(done).toContain("Revoked");
  });
});
