import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliSession, EXAMPLE } from "./cli-session.ts";

let session: Awaited<ReturnType<typeof cliSession>>;
beforeAll(async () => {
  session = await cliSession();
  await session.cli(["api", "apply", "-f", EXAMPLE]);
});
afterAll(() => session.close());

const CREATE = ["key", "create", "--api", "c2p", "--environment", "test", "--owner", "acct_42"];

async function newKey(...options: string[]): Promise<{ id: string; token: string }> {
  const { key, token } = await session.json([...CREATE, ...options]);
  return { id: key.keyId, token };
}

describe("audit", () => {
  it("lists who has done what, and finds it by key, by call and by who it was", async () => {
    const { id } = await newKey("--name", "CI");
    await session.cli(["key", "disable", id]);
    const listed = await session.cli(["audit", "list", "--record", id]);
    expect(listed.stdout).toMatch(/NO\. +WHEN +WHAT +OF +BY +FROM +CHANGED/);
    expect(listed.stdout).toMatch(/DisableKey +[0-9a-f-]{36} +[0-9a-f-]{36} +127\.0\.0\.1 +state/);
    const { events } = await session.json(["audit", "list", "--record", id]);
    expect(events.map(({ action }: { action: string }) => action)).toEqual(["DisableKey", "CreateKey"]);
    expect(events[0]).toMatchObject({
      actorKind: "ACTOR_KIND_CREDENTIAL",
      before: '{"state":"ACTIVE"}',
      after: '{"state":"DISABLED"}',
    });
    const by = await session.json([
      "audit",
      "list",
      "--actor",
      events[0].actorKeyId,
      "--action",
      "DisableKey",
    ]);
    expect(by.events).toEqual([events[0]]);
    expect((await session.cli(["audit", "list", "--action", "Nonsense"])).stderr).toContain("must be one of");
  });

  it("verifies it, against a checkpoint that was kept as well, and ends with 1 once it was touched", async () => {
    await newKey();
    const file = join(session.server.directory, "checkpoint.json");
    writeFileSync(file, (await session.cli(["audit", "checkpoint"])).stdout);
    expect(await session.cli(["audit", "verify", "--checkpoint", file])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^✓ \d+ events, and nothing is wrong with them\n$/),
    });
    const db = new Database(join(session.server.directory, "keywarden.db"));
    const api = db.prepare<[], string>("SELECT api FROM audit_events WHERE revision = 3").pluck().get();
    db.exec("UPDATE audit_events SET api = 'other' WHERE revision = 3");
    expect(await session.cli(["audit", "verify"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("edited: event 3 is not what was written"),
    });
    const { stdout } = await session.cli(["audit", "verify", "--json"]);
    expect(JSON.parse(stdout).problems).toMatchObject([{ kind: "edited", revision: "3" }]);
    db.prepare("UPDATE audit_events SET api = ? WHERE revision = 3").run(api);
    db.close();
    expect((await session.cli(["audit", "verify"])).code).toBe(0);
    expect((await session.cli(["audit", "verify", "--checkpoint", EXAMPLE])).stderr).toContain(
      "holds no checkpoint",
    );
  });
});

describe("credentials", () => {
  it("are created as other keys are, and do what they were given and nothing else", async () => {
    const { token } = await session.json(
      "key create --api keywarden --owner support --scope keys:read --scope keys:write --bind-api c2p".split(
        " ",
      ),
    );
    const variables = { KEYWARDEN_ADDRESS: session.server.adminGrpc, KEYWARDEN_ADMIN_TOKEN: token };
    const as = async (...args: string[]) => {
      const { keywarden } = await import("../support/command-line.ts");
      return keywarden(args, { variables });
    };
    expect((await as(...CREATE)).code).toBe(0);
    expect((await as("key", "list")).stdout).toContain("acct_42");
    expect((await as("api", "list")).stderr).toContain("does not cover the scope apis:read");
    expect((await as("key", "list", "--api", "keywarden")).stderr).toContain("bound to API c2p");
    expect(
      (await as("key", "create", "--api", "keywarden", "--owner", "me", "--scope", "*")).stderr,
    ).toContain("bound to API c2p");
  });

  it("the last of them stays", async () => {
    const { keys } = await session.json(["key", "list", "--api", "keywarden", "--scope", "keys:write"]);
    const last = keys.find(({ binding }: { binding?: unknown }) => binding === undefined);
    const { code, stderr } = await session.cli(["key", "revoke", last.keyId, "--yes"]);
    expect({ code, says: stderr.includes("keywarden admin reset") }).toEqual({ code: 3, says: true });
  });
});

describe("the holder of a token", () => {
  it("looks at its key and ends it, with nothing but the token", async () => {
    const { id, token } = await newKey("--metadata", "internal=yes", "--scope", "orders:read");
    const shown = await session.cli(["self", "get"], { input: token });
    expect(shown.stdout).toContain(id);
    expect(shown.stdout).toContain("orders:read");
    expect(shown.stdout).not.toContain("internal");
    expect((await session.cli(["self", "revoke"], { input: token })).code).toBe(2);
    expect((await session.cli(["self", "revoke", "--yes"], { input: token })).stdout).toContain("Revoked");
    expect((await session.cli(["verify"], { input: token })).stdout).toContain("REVOKED");
    expect((await session.cli(["self", "get"], { input: token })).code).toBe(3);
    const { events } = await session.json(["audit", "list", "--record", id, "--action", "RevokeKey"]);
    expect(events).toMatchObject([{ actorKind: "ACTOR_KIND_HOLDER", actorKeyId: id }]);
  });
});

describe("key explain", () => {
  it("shows every check of a key and of a token, and ends with 1 if it would be denied", async () => {
    const { id, token } = await newKey("--scope", "orders:read", "--allow-cidr", "203.0.113.0/24");
    const denied = await session.cli([
      "key",
      "explain",
      id,
      "--scope",
      "orders:write",
      "--client-ip",
      "203.0.113.9",
    ]);
    expect(denied.code).toBe(1);
    expect(denied.stdout).toMatch(/✗ it would be denied: INSUFFICIENT_SCOPE/);
    expect(denied.stdout).toMatch(/✓ +IP_NOT_ALLOWED/);
    expect(denied.stdout).toMatch(
      /✗ +INSUFFICIENT_SCOPE +orders:write is required, and orders:read is granted/,
    );
    const allowed = await session.cli(
      ["key", "explain", "--scope", "orders:read", "--client-ip", "203.0.113.9"],
      {
        input: token,
      },
    );
    expect(allowed).toMatchObject({ code: 0, stdout: expect.stringContaining("it would be allowed") });
    expect(allowed.stdout).not.toContain(token.slice(9, -6));
  });
});

describe("a rotation's grace", () => {
  it("can be ended early", async () => {
    const { id, token } = await newKey();
    await session.cli(["key", "rotate", id, "--grace", "1h"]);
    expect((await session.cli(["verify"], { input: token })).code).toBe(0);
    expect((await session.cli(["key", "end-grace", id])).stdout).toContain(
      "Only the current token is accepted",
    );
    expect((await session.cli(["verify"], { input: token })).stdout).toContain("EXPIRED");
  });
});

describe("key list", () => {
  it("finds keys by when they end, by what they may do, and by how their name or token begins", async () => {
    const soon = await newKey("--name", "Soon over", "--expires-in", "1d", "--scope", "files:*");
    const late = await newKey("--name", "soon enough", "--expires-in", "90d", "--scope", "files:read");
    const ids = async (...filter: string[]) =>
      (await session.cli(["key", "list", "--all", "--quiet", ...filter])).stdout.split("\n").filter(Boolean);
    expect(await ids("--expiring-in", "30d")).toEqual([soon.id]);
    expect(await ids("--expiring-in", "100d")).toEqual([soon.id, late.id]);
    expect(await ids("--scope", "files:write", "--api", "c2p")).toEqual([soon.id]);
    expect(await ids("--prefix", "sOON ")).toEqual([soon.id, late.id]);
    const { key } = await session.json(["key", "get", late.id]);
    expect(await ids("--prefix", key.hint)).toContain(late.id);
    expect((await session.cli(["key", "list", "--scope", "files:*"])).stderr).toContain("wildcard");
  });
});
