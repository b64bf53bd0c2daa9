import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { AuditProblem_Kind } from "../../src/gen/keywarden/v1/audit_pb.ts";
import { Reason } from "../../src/gen/keywarden/v1/verify_service_pb.ts";
import { WITH_OWN_MOUNTS } from "../faults/store-open-processes.ts";
import { backedUpStore, type Issued, reasonOf } from "./backed-up-store.ts";
import { machineSession } from "./machine-session.ts";

const stored = backedUpStore();
const { backup, cli, data, issue, json, place, start, tamper } = stored;

/** Callers who create and verify keys until they are told to stop. */
function underLoad() {
  const issued: Issued[] = [];
  const stopping = new AbortController();
  const verifier = stored.server.verifyClient();
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
  await stored.admin.rotateKey({ keyId: ended.keyId, grace: { seconds: 3600n } });
  const load = underLoad();
  await expect.poll(() => load.issued.length).toBeGreaterThan(50);
  const copy = await json(["backup", backup()]);
  const atBackup = load.issued.length;
  await expect.poll(() => load.issued.length).toBeGreaterThan(atBackup + 50);
  await load.stop();
  await stored.admin.revokeKey({ keyId: revoked.keyId });
  await stored.admin.disableKey({ keyId: disabled.keyId });
  await stored.admin.rotateKey({ keyId: rotated.keyId, grace: { seconds: 3600n } });
  await stored.admin.endGrace({ keyId: rotated.keyId });
  await stored.admin.endGrace({ keyId: ended.keyId });
  await stored.admin.disableKey({ keyId: enabled.keyId });
  await stored.admin.enableKey({ keyId: enabled.keyId });
  const later = await issue();
  await stored.admin.revokeKey({ keyId: later.keyId });
  const { checkpoint } = await stored.admin.createAuditCheckpoint({});
  await stored.server.kill();

  const { lost, replaced, revision } = await json(["restore", backup(), "--force", "--yes"]);
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
  const verifier = stored.server.verifyClient();
  const all = [kept, revoked, disabled, rotated, ended, enabled, later, ...load.issued];
  const reasons = await Promise.all(all.map((key) => reasonOf(verifier, key)));
  const expected = all.map((key) => (key.revision <= revision ? Reason.ALLOWED : Reason.UNKNOWN_TOKEN));
  expect(reasons).toEqual(expected);
  expect(new Set(expected).size).toBe(2);
  expect((await stored.admin.verifyAudit({})).problems).toEqual([]);
  const { problems } = await stored.admin.verifyAudit({ checkpoint: checkpoint! });
  expect(problems.map(({ kind }) => kind)).toEqual([AuditProblem_Kind.TRUNCATED]);
});

describe("a backup", () => {
  it("is one file that only its owner can read, whatever the umask, and does not touch the store", async () => {
    await start();
    const before = process.umask(0);
    const { code, stdout } = await cli(["backup", backup()]);
    process.umask(before);
    expect(code).toBe(0);
    expect(stdout).toContain("The secrets are not in it.");
    expect(stdout).toContain(data("seal-key"));
    expect(readdirSync(place.directory).toSorted()).toEqual(["backup.db", "data"]);
    expect(statSync(backup()).mode & 0o777).toBe(0o600);
  });

  it("works without a server, and leaves nothing beside the store", async () => {
    const before = readdirSync(data());
    expect((await cli(["backup", backup()])).code).toBe(0);
    expect(readdirSync(data())).toEqual(before);
  });

  it("overwrites nothing unless it is told to", async () => {
    writeFileSync(backup(), "precious");
    const refused = await cli(["backup", backup()]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(readFileSync(backup(), "utf8")).toBe("precious");
    expect((await cli(["backup", backup(), "--force"])).code).toBe(0);
    expect(new Database(backup(), { readonly: true }).pragma("integrity_check")).toEqual([
      { integrity_check: "ok" },
    ]);
  });

  it.each(["keywarden.db", "keywarden.db-wal", "pepper", "admin-token"])(
    "is not written over the store's own %s, not even with --force",
    async (name) => {
      if (name === "keywarden.db-wal") writeFileSync(data(name), "");
      const before = readFileSync(data(name));
      const { code, stderr } = await cli(["backup", data(name), "--force"]);
      expect(code).toBe(2);
      expect(stderr).toContain("belongs to the store itself");
      expect(readFileSync(data(name))).toEqual(before);
    },
  );

  it("of a store that somebody has edited is refused, and not kept", async () => {
    tamper(`UPDATE keys SET scopes = '["*"]' WHERE api = 'a'`);
    const { code, stderr } = await cli(["backup", backup()]);
    expect(code).toBe(1);
    expect(stderr).toContain("SEAL_BROKEN");
    expect(readdirSync(place.directory)).toEqual(["data"]);
  });

  it("without the seal key is refused: nobody could say whether it is sound", async () => {
    rmSync(data("seal-key"));
    const { code, stderr } = await cli(["backup", backup()]);
    expect(code).toBe(2);
    expect(stderr).toContain("seal-key does not exist");
    expect(existsSync(data("seal-key"))).toBe(false);
  });

  it("where there is no store, or no directory to write to, says so", async () => {
    const elsewhere = machineSession(place.path("none"));
    expect((await elsewhere.cli(["backup", backup()])).stderr).toContain("there is no store at");
    expect(existsSync(place.path("none"))).toBe(false);
    const { code, stderr } = await cli(["backup", place.path("none/b.db")]);
    expect(code).toBe(2);
    expect(stderr).toContain("could not be written (ENOENT)");
  });

  it("that is interrupted leaves no file", async () => {
    const unfinished = place.path("unfinished");
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
    await cli(["backup", backup()]);
    const disk = place.path("disk");
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
