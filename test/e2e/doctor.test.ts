import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rotateSecret } from "../../src/adapters/secrets/secret-changes.ts";
import { type Row, sealed } from "../../src/adapters/sqlite/sealed-rows.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { createSealKey, Sealer } from "../../src/domain/seal.ts";
import { HOST, type Host, hostFindings } from "../../src/machine/doctor-host.ts";
import { examine } from "../../src/machine/examine.ts";
import { machine } from "../../src/machine/machine.ts";
import { treeOf } from "../faults/store-open-attempt.ts";
import { createTestAuthority } from "../support/certificates.ts";
import type { Surroundings } from "../support/command-line.ts";
import { type KeywardenProcess, startKeywarden, temporaryDirectory } from "../support/keywarden-process.ts";
import { machineSession } from "./machine-session.ts";

/** A store with two APIs, one of them deleted, and keys: active, rotated, and an expiring credential. */
const template = temporaryDirectory();
const ids = { key: "", other: "", administrator: "" };
let directory: ReturnType<typeof temporaryDirectory>;
let session: ReturnType<typeof machineSession>;
const path = (name = "") => join(directory.path, "data", name);
const DAY = 86_400_000;

/** The codes of all findings that a test has made. */
const made = new Set<string>();

beforeAll(async () => {
  const server = await startKeywarden({ directory: join(template.path, "data") });
  const admin = server.adminClient();
  for (const apiId of ["aa", "bb"]) {
    await admin.createApi({ api: { apiId, displayName: "A", tokenPrefix: apiId, environments: ["test"] } });
  }
  await admin.deleteApi({ apiId: "bb" });
  const create = async (api: string, environment: string, more = {}) => {
    const { key } = await admin.createKey({ key: { api, environment, owner: "o", ...more } });
    return key!.keyId;
  };
  ids.key = await create("aa", "test");
  ids.other = await create("aa", "test");
  await admin.rotateKey({ keyId: ids.other, grace: { seconds: 3600n } });
  await create("keywarden", "live", { expiration: { case: "ttl", value: { seconds: 600n } } });
  const { keys } = await admin.listKeys({ api: "keywarden" });
  ids.administrator = keys.find(({ displayName }) => displayName === "bootstrap admin")!.keyId;
  await server.stop();
});
afterAll(() => template.remove());

beforeEach(() => {
  directory = temporaryDirectory();
  cpSync(join(template.path, "data"), path(), { recursive: true });
  chmodSync(path(), 0o700);
  session = machineSession(join(directory.path, "data"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  directory.remove();
});

/** Also stopped where a test fails. */
const servers: KeywardenProcess[] = [];

async function start(place = path(), flags: readonly string[] = []): Promise<KeywardenProcess> {
  const server = await startKeywarden({ directory: place, flags });
  servers.push(server);
  return server;
}

const SOUND: Host = { ...HOST, isClockSynchronised: async () => true, freeBytes: () => 1e12 };

async function doctor(
  args: readonly string[] = [],
  host: Partial<Host> = {},
  surroundings: Surroundings = {},
) {
  const storeCare: typeof machine.storeCare = {
    ...machine.storeCare,
    examine: (settings, options) => examine(settings, options, { ...SOUND, ...host }),
  };
  const { code, stdout, stderr } = await session.cli(["doctor", "--json", ...args], {
    machine: { ...machine, storeCare },
    ...surroundings,
  });
  if (stdout === "") throw new Error(stderr);
  const examination = JSON.parse(stdout);
  const findings: readonly Finding[] = examination.findings;
  return { code, findings, examination };
}

/** The one finding of this code; it has something to say, and something to do. */
function one(findings: readonly Finding[], code: string): Finding {
  const found = findings.filter((finding) => finding.code === code);
  expect(found.map((finding) => finding.code)).toEqual([code]);
  const [finding] = found as [Finding];
  made.add(code);
  expect(finding.what).not.toMatch(/\.$|undefined|\[object/);
  expect(finding.next).not.toBe("");
  return finding;
}

/** Those that a fresh installation has. */
const FRESH = ["ADMIN_TOKEN_FILE", "SECRETS_BESIDE_STORE", "ONE_ADMINISTRATOR"];

it("finds nothing wrong with a sound store, ends with 0, and changes nothing", async () => {
  const before = treeOf(path());
  const { code, findings, examination } = await doctor();
  expect(code).toBe(0);
  expect(findings.map((finding) => finding.code)).toEqual(FRESH);
  for (const fresh of FRESH) expect(one(findings, fresh).severity).toBe("note");
  expect(examination).toMatchObject({
    store: { content: { apis: 2, keys: 4, tokens: 5, auditEvents: 9 }, revision: 9 },
    secrets: [
      { kind: "pepper", state: "current", records: 5 },
      { kind: "seal-key", state: "current", records: 12 },
    ],
    versions: { node: process.versions.node },
  });
  expect(treeOf(path())).toEqual(before);
});

it("looks while a server runs, also thoroughly", async () => {
  const server = await start();
  const { code, findings } = await doctor(["--thorough"]);
  expect(findings.map((finding) => finding.code)).toEqual(FRESH);
  expect(code).toBe(0);
  expect(await server.stop()).toBe(0);
});

it("says to people what it has found, a line each, with its colours on a terminal only", async () => {
  chmodSync(path("admin-token"), 0o644);
  const plain = await session.cli(["doctor"]);
  expect(plain.code).toBe(1);
  expect(plain.stdout).toContain(
    `error    EXPOSED: others on this machine may read ${path("admin-token")}. Run: chmod 600 ${path("admin-token")}.\n`,
  );
  expect(plain.stdout).toMatch(/1 error, \d warnings?, 3 notes\n$/);
  expect(plain.stdout).not.toContain("\u001b");
  const terminal = await session.cli(["doctor", "--no-color"], { terminal: true });
  expect(terminal.stdout).not.toContain("\u001b");
});

it("never says a token or a secret", async () => {
  const { examination } = await doctor();
  const printed = JSON.stringify(examination);
  for (const secret of ["admin-token", "pepper", "seal-key"]) {
    expect(printed).not.toContain(readFileSync(path(secret), "utf8").trim());
  }
});

describe("of the settings", () => {
  const variables = (more: Record<string, string>) => ({
    variables: { KEYWARDEN_STORE: `sqlite:${path("keywarden.db")}`, ...more },
  });

  it("finds those that a server refuses, and looks at the rest all the same", async () => {
    const { code, findings, examination } = await doctor(
      ["--grpc", "0.0.0.0:1"],
      {},
      variables({ KEYWARDEN_TYPO: "1" }),
    );
    expect(code).toBe(1);
    expect(one(findings, "SETTINGS_REFUSED").what).toContain("KEYWARDEN_TYPO");
    expect(examination.store.content.keys).toBe(4);
  });

  it("finds those that only the command line refuses", async () => {
    const { code, findings } = await doctor([], {}, variables({ KEYWARDEN_TIMEOUT: "soon" }));
    expect(one(findings, "CLIENT_SETTINGS_REFUSED")).toMatchObject({ severity: "warning" });
    expect(code).toBe(0);
  });

  it("finds a variable that a flag overrides", async () => {
    const { findings } = await doctor(["--cache-size", "10"], {}, variables({ KEYWARDEN_CACHE_SIZE: "20" }));
    expect(one(findings, "SETTING_OVERRIDDEN").what).toContain("--cache-size and KEYWARDEN_CACHE_SIZE");
  });

  it.each(["--grpc", "--admin-grpc", "--admin-http"])(
    "finds that others reach %s without encryption",
    async (flag) => {
      const { findings } = await doctor([flag, "0.0.0.0:50055", "--insecure-plaintext"]);
      const finding = one(findings, "PLAINTEXT_LISTENER");
      expect(finding.severity).toBe("warning");
      expect(finding.what).toContain(`${flag} 0.0.0.0:50055`);
    },
  );
});

describe("of the files for TLS", () => {
  const put = (name: string, content: string) => writeFileSync(path(name), content);
  let authority: Awaited<ReturnType<typeof createTestAuthority>>;
  let end: number;
  beforeEach(async () => {
    authority = await createTestAuthority(new Date(Date.now() + 60 * DAY));
    const { cert, key } = await authority.issue({ until: new Date(Date.now() + 30 * DAY) });
    put("cert.pem", cert);
    put("key.pem", key);
    put("ca.pem", authority.cert);
    put("callers.yaml", "- san: DNS:orders.example\n");
    end = new X509Certificate(cert).validToDate.getTime();
  });

  const FILES = {
    "tls-cert": "cert.pem",
    "tls-key": "key.pem",
    "tls-client-ca": "ca.pem",
    "tls-callers": "callers.yaml",
  };
  const flags = () => Object.entries(FILES).flatMap(([flag, name]) => [`--${flag}`, path(name)]);
  const look = (host: Partial<Host> = {}) => doctor(flags(), host);

  it("finds nothing where a server would start", async () => {
    expect((await look()).findings.map((finding) => finding.code)).toEqual(FRESH);
  });

  it("finds a certificate that will end soon, has ended, or is not valid yet", async () => {
    expect(one((await look({ now: () => end - DAY })).findings, "CERTIFICATE_EXPIRES").severity).toBe(
      "warning",
    );
    one((await look({ now: () => end })).findings, "TLS_EXPIRED");
    one((await look({ now: () => 0 })).findings, "TLS_NOT_YET_VALID");
  });

  it.each<[string, string, () => void | Promise<void>]>([
    ["a certificate that can't be read", "TLS_UNREADABLE", () => put("cert.pem", "no")],
    [
      "a key that is another certificate's",
      "TLS_MISMATCH",
      async () => put("key.pem", (await authority.issue()).key),
    ],
    ["a key that is missing", "TLS_UNREADABLE", () => rmSync(path("key.pem"))],
    ["authorities of clients that can't be read", "TLS_UNREADABLE", () => put("ca.pem", "no")],
    [
      "a list of callers with a mistake",
      "TLS_CALLERS_INVALID",
      () => put("callers.yaml", "- san: *.example.com"),
    ],
    ["a list of callers that is missing", "TLS_UNREADABLE", () => rmSync(path("callers.yaml"))],
  ])("finds %s, as a server does", async (_what, code, spoil) => {
    await spoil();
    const { code: exit, findings } = await look();
    expect(exit).toBe(1);
    const { what } = one(findings, code);
    const store = join(directory.path, "other");
    await expect(start(store, flags())).rejects.toThrow(what);
  });

  it("finds it also where the variables say where they are, and another setting is refused", async () => {
    put("callers.yaml", "- {}");
    const variables = Object.fromEntries(
      Object.entries(FILES).map(([flag, name]) => [
        `KEYWARDEN_${flag.replaceAll("-", "_").toUpperCase()}`,
        path(name),
      ]),
    );
    const store = { KEYWARDEN_STORE: `sqlite:${path("keywarden.db")}` };
    const { findings } = await doctor(["--cache-size", "no"], {}, { variables: { ...variables, ...store } });
    expect(one(findings, "SETTINGS_REFUSED").what).toContain("--cache-size");
    expect(one(findings, "TLS_CALLERS_INVALID").what).toContain(path("callers.yaml"));
  });
});

describe("of the files", () => {
  it.each([
    ["", 0o722, "error", "write"],
    ["", 0o755, "warning", "read"],
    ["keywarden.db", 0o620, "error", "write"],
    ["keywarden.db", 0o640, "warning", "read"],
    ["admin-token", 0o604, "error", "read"],
  ])("finds that %j is open to others (%o)", async (name, mode, severity, how) => {
    chmodSync(path(name), mode);
    const { findings } = await doctor();
    const finding = one(findings, "EXPOSED");
    expect(finding).toMatchObject({ severity });
    expect(finding.what).toContain(`may ${how}`);
  });

  it("says of a directory that is shared with the server's own group no more than that: Kubernetes does so", async () => {
    const own = process.getgid?.() ?? -1;
    const share = (group: number) => {
      for (const name of ["", ...readdirSync(path())]) {
        chownSync(path(name), -1, group);
        chmodSync(path(name), name === "" ? 0o2770 : 0o660);
      }
    };
    share(own);
    const { code, findings } = await doctor();
    expect(code).toBe(0);
    expect(one(findings, "SHARED_WITH_GROUP")).toMatchObject({
      severity: "note",
      what: expect.stringContaining(`group ${own} may use ${path()}`),
    });
    expect(findings.map((finding) => finding.code)).not.toContain("EXPOSED");
    expect(findings.map((finding) => finding.code)).not.toContain("ANOTHER_OWNER");
    chmodSync(path(), 0o770);
    expect((await doctor()).code).toBe(1);
    if (process.getuid?.() !== 0) {
      console.warn("NOT TRIED: a directory that is shared with a foreign group. It takes root.");
      return;
    }
    // As kubelet sets a volume up: the directory is root's, and the files the server's.
    share(own);
    for (const name of readdirSync(path())) chownSync(path(name), 65_534, own);
    const inPod = await doctor();
    expect(inPod.code).toBe(0);
    expect(inPod.findings.map((finding) => finding.code)).not.toContain("ANOTHER_OWNER");
    share(65_534);
    expect((await doctor()).code).toBe(1);
  });

  it("finds a file of another user", async () => {
    // Only root can give a file away; others have one that is root's.
    if (process.getuid?.() === 0) chownSync(path("keywarden.db.lock"), 65_534, 65_534);
    else {
      rmSync(path("keywarden.db.lock"));
      symlinkSync("/etc/passwd", path("keywarden.db.lock"));
    }
    expect(one((await doctor()).findings, "ANOTHER_OWNER").next).toContain("chown");
  });

  it("finds a disk with little room, and one with none", async () => {
    expect(one((await doctor([], { freeBytes: () => 100e6 })).findings, "DISK_LOW").severity).toBe("warning");
    expect(one((await doctor([], { freeBytes: () => 1e6 })).findings, "DISK_FULL").severity).toBe("error");
  });

  it("finds a log that was not written back for long", async () => {
    writeFileSync(path("keywarden.db-wal"), "", { mode: 0o600 });
    truncateSync(path("keywarden.db-wal"), 200 * 1024 * 1024);
    expect(one((await doctor()).findings, "LOG_LONG").what).toContain("200 MB");
  });

  it("finds what a restore has left", async () => {
    cpSync(path("keywarden.db"), path("keywarden.db.replaced-2027-01-31T00-00-00-000Z"));
    expect(one((await doctor()).findings, "LEFT_OVER").what).toContain("replaced-2027");
  });
});

describe("of the store", () => {
  it("finds that there is none", async () => {
    rmSync(path("keywarden.db"));
    const { code, findings, examination } = await doctor();
    expect(code).toBe(1);
    expect(one(findings, "STORE_MISSING").what).toContain(path("keywarden.db"));
    expect(examination.store).toBe(null);
  });

  it.each([
    ["STORE_FOREIGN", "PRAGMA application_id = 7"],
    ["STORE_NEWER_SCHEMA", "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9e15)"],
    ["STORE_OLDER_SCHEMA", "DELETE FROM __drizzle_migrations"],
    ["SCHEMA_ALTERED", "CREATE VIEW spy AS SELECT * FROM tokens"],
    ["SCHEMA_ALTERED", "DROP INDEX keys_by_owner"],
    ["BROKEN_REFERENCES", "DELETE FROM peppers"],
  ])("finds %s after %s", async (code, statement) => {
    session.tamper(statement);
    expect(one((await doctor()).findings, code).what).not.toBe("");
  });

  it("finds pages that somebody has overwritten", async () => {
    const bytes = readFileSync(path("keywarden.db"));
    bytes.fill(0x55, 4096 * 3, 4096 * 4);
    writeFileSync(path("keywarden.db"), bytes);
    const { code, findings } = await doctor(["--thorough"]);
    expect(code).toBe(1);
    expect(findings.map((finding) => finding.code)).toContain("STORE_CORRUPT");
    made.add("STORE_CORRUPT");
  });
});

describe("of the secrets", () => {
  it("finds that one is missing, and does not make it", async () => {
    rmSync(path("pepper"));
    const { code, findings, examination } = await doctor();
    expect(code).toBe(1);
    one(findings, "PEPPER_MISSING");
    one(findings, "SEALS_NOT_CHECKED");
    expect(examination.secrets[0].state).toBe("unchecked");
  });

  it("finds one that everyone can read", async () => {
    chmodSync(path("seal-key"), 0o604);
    expect(one((await doctor()).findings, "SEAL_KEY_EXPOSED").what).toContain("chmod 600");
  });

  it("shows how far a rotation has come", async () => {
    rotateSecret("pepper", path("pepper"));
    const { findings, examination } = await doctor();
    expect(one(findings, "ROTATION_UNFINISHED").what).toContain("5 tokens");
    expect(examination.secrets.slice(0, 2)).toMatchObject([
      { kind: "pepper", state: "current", records: 0 },
      { kind: "pepper", state: "former", records: 5 },
    ]);
  });

  it("keeps a former secret from being forgotten while records need it", async () => {
    const [, former] = rotateSecret("pepper", path("pepper"));
    const { code, stderr } = await session.cli(["secret", "forget", former!.id, "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("5 records");
  });

  it("finds a former secret that nothing needs any more", async () => {
    writeFileSync(
      path("seal-key"),
      `${readFileSync(path("seal-key"), "utf8")}${Buffer.alloc(32, 3).toString("base64")}\n`,
    );
    expect(one((await doctor()).findings, "SECRET_UNUSED").next).toContain("keywarden secret forget");
  });

  it("finds records that need one that is not at hand", async () => {
    session.tamper(
      "INSERT INTO peppers VALUES ('0badc0de')",
      `UPDATE tokens SET pepper_id = '0badc0de'`,
      "DELETE FROM peppers WHERE id = '0badc0de'",
    );
    const { findings } = await doctor();
    expect(one(findings, "SECRET_UNKNOWN").what).toContain(
      "pepper 0badc0de is not at hand, and 5 tokens digested with it",
    );
  });
});

describe("of the records", () => {
  it("finds every broken seal, and names the records", async () => {
    session.tamper(
      `UPDATE keys SET scopes = '["*"]' WHERE id = '${ids.key}'`,
      `UPDATE tokens SET generation = 9 WHERE key_id = '${ids.other}'`,
    );
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    const { what } = one(findings, "SEAL_BROKEN");
    expect(what).toContain(`3 are not what Keywarden wrote`);
    expect(what).toContain(`key ${ids.key}`);
    expect(what).toContain(`token of key ${ids.other}`);
  });

  it("names no more than 20 of them", async () => {
    const columns =
      "api, environment, owner, display_name, scopes, allowed_cidrs, rate_limits, metadata, state, generation, hint, create_time, update_time, revision, seal";
    session.tamper(
      `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
      INSERT INTO keys (id, ${columns}) SELECT 'k' || i, ${columns} FROM keys, n WHERE id = '${ids.key}'`,
    );
    expect(one((await doctor()).findings, "SEAL_BROKEN").what).toMatch(/^30 are .*, and 10 more$/);
  });

  it("finds a key that is older than its last change: somebody has put it back", async () => {
    const server = await start();
    const before = machineSession(path());
    const aside = `ATTACH '${join(directory.path, "aside.db")}' AS aside`;
    before.tamper(aside, "CREATE TABLE aside.keys AS SELECT * FROM main.keys");
    await server.adminClient().revokeKey({ keyId: ids.key });
    await server.stop();
    session.tamper(
      aside,
      `DELETE FROM main.keys WHERE id = '${ids.key}'`,
      `INSERT INTO main.keys SELECT * FROM aside.keys WHERE id = '${ids.key}'`,
    );
    expect(one((await doctor()).findings, "RECORD_STALE").what).toContain(`key ${ids.key}`);
  });

  it("finds one that is sealed, and yet can't be read", async () => {
    const sealKey = createSealKey(Buffer.from(readFileSync(path("seal-key"), "utf8"), "base64"));
    const db = new Database(path("keywarden.db"));
    const row = db.prepare<[string], Row>("SELECT * FROM keys WHERE id = ?").get(ids.key)!;
    const { seal } = sealed(new Sealer([sealKey]), "keys", { ...row, scopes: "{}" });
    db.prepare("UPDATE keys SET scopes = '{}', seal = ? WHERE id = ?").run(seal, ids.key);
    db.close();
    expect(one((await doctor()).findings, "RECORD_UNREADABLE").what).toContain(`key ${ids.key}`);
  });

  it("finds keys and APIs that somebody has deleted, but not what Keywarden has", async () => {
    session.tamper(
      `DELETE FROM tokens WHERE key_id = '${ids.key}'`,
      `DELETE FROM keys WHERE id = '${ids.key}'`,
    );
    expect(one((await doctor()).findings, "RECORD_MISSING").what).toBe(
      `1 are in the audit, and not there: key ${ids.key}`,
    );
  });

  it("finds a key whose token somebody has deleted", async () => {
    session.tamper(`DELETE FROM tokens WHERE key_id = '${ids.other}' AND generation = 2`);
    expect(one((await doctor()).findings, "TOKEN_MISSING").what).toContain(`key ${ids.other}`);
  });
});

describe("of the audit", () => {
  it.each([
    ["AUDIT_EDITED", "UPDATE audit_events SET actor_kind = 'SYSTEM', time = time - 1 WHERE revision = 3"],
    ["AUDIT_MISSING", "DELETE FROM audit_events WHERE revision = 4"],
    ["AUDIT_TRUNCATED", "DELETE FROM audit_events WHERE revision = 9"],
    ["AUDIT_FORGED", "UPDATE audit_head SET revision = 8"],
    ["AUDIT_RECORDS", "DELETE FROM keys"],
  ])("finds %s after %s", async (code, statement) => {
    session.tamper(statement);
    const { findings } = await doctor();
    expect(findings.filter((finding) => finding.code === code).length).toBeGreaterThan(0);
    made.add(code);
  });
});

describe("of the machine", () => {
  it("finds a clock that is behind what was written, and one that nobody synchronises", async () => {
    const { code, findings } = await doctor([], {
      now: () => Date.now() - DAY,
      isClockSynchronised: async () => false,
    });
    expect(code).toBe(1);
    one(findings, "CLOCK_BEHIND");
    one(findings, "CLOCK_NOT_SYNCHRONISED");
  });

  it("finds an old Node.js, and an SQLite that can corrupt a database", async () => {
    one((await doctor([], { node: "22.1.0" })).findings, "NODE_OLD");
    one(await hostFindings(SOUND, "3.51.2"), "SQLITE_OLD");
    expect(await hostFindings(SOUND, "3.51.3")).toEqual([]);
  });
});

describe("of the administrators", () => {
  it("finds one that has expired", async () => {
    expect(
      one((await doctor([], { now: () => Date.now() + DAY })).findings, "CREDENTIAL_EXPIRED").severity,
    ).toBe("note");
  });

  it("finds that the last will expire soon, and that there is none any more", async () => {
    const server = await start();
    const expiration = { case: "ttl", value: { seconds: BigInt(3 * 86_400) } } as const;
    await server.adminClient().updateKey({ key: { keyId: ids.administrator, expiration } });
    await server.stop();
    one((await doctor()).findings, "LAST_ADMINISTRATOR_EXPIRES");
    const none = await doctor([], { now: () => Date.now() + 4 * DAY });
    expect(one(none.findings, "NO_ADMINISTRATOR").next).toContain("keywarden admin reset");
    expect(none.code).toBe(1);
  });
});

it("what can be found is what docs/operations.md says, and each was found here", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const [, section = ""] = page.split("\n## Doctor\n");
  const table = section.split("\n## ")[0] ?? "";
  const told = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)+|EXPOSED)`/g)].map(([, code]) => code);
  expect([...made].toSorted()).toEqual([...new Set(told)].toSorted());
});
