import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keywarden } from "../support/command-line.ts";
import { cliSession, EXAMPLE } from "./cli-session.ts";

let session: Awaited<ReturnType<typeof cliSession>>;
beforeAll(async () => {
  session = await cliSession();
  await session.cli(["api", "apply", "-f", EXAMPLE]);
});
afterAll(() => session.close());

const CREATE = ["key", "create", "--api", "c2p", "--environment", "test", "--owner", "acct_42"];
const NOWHERE = "0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60";

/** The first key's id in a table. */
function firstId(table: string): string | undefined {
  return /^[0-9a-f-]{36}/m.exec(table)?.[0];
}

async function newKey(...options: string[]): Promise<{ id: string; token: string }> {
  const { key, token } = await session.json([...CREATE, ...options]);
  return { id: key.keyId, token };
}

async function verify(token: string, ...options: string[]): Promise<number> {
  return (await session.cli(["verify", ...options], { input: token })).code;
}

describe("key create", () => {
  it("prints the token alone into a pipe, and the key beside it", async () => {
    const { code, stdout, stderr } = await session.cli([...CREATE, "--name", "CI", "--scope", "orders:read"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^c2p_test_[A-Za-z0-9]{38}\n$/);
    expect(stderr).toMatch(/Created key "CI" \(.*\n(.*\n)*Owner +acct_42\n/);
    expect(stderr).not.toContain(stdout.trim());
    expect(await verify(stdout, "--scope", "orders:read")).toBe(0);
  });

  it("prints it on a terminal so that it can be copied, and says that it is not shown again", async () => {
    const { stdout, stderr } = await session.cli([...CREATE, "--no-color"], { terminal: true });
    expect(stdout).toMatch(/^─+\nc2p_test_[A-Za-z0-9]{38}\n─+\n$/);
    expect(stderr).toContain("Store it now: it is not shown again.");
  });

  it("takes everything that a key can have", async () => {
    const options =
      "--scope orders:read --scope files:* --allow-cidr 203.0.113.0/24 --allow-cidr ::1/128 " +
      "--rate-limit default=100/1m --rate-limit day=1000/1d --metadata team=ops --metadata a=b=c " +
      "--expires-at 2099-01-31T10:00:00+01:00";
    const { key } = await session.json([...CREATE, ...options.split(" ")]);
    expect(key).toMatchObject({
      scopes: ["orders:read", "files:*"],
      allowedCidrs: ["203.0.113.0/24", "::1/128"],
      rateLimits: [
        { name: "default", quota: 100, window: "60s" },
        { name: "day", quota: 1000, window: "86400s" },
      ],
      metadata: { team: "ops", a: "b=c" },
      expireTime: "2099-01-31T09:00:00Z",
    });
  });

  it("needs the environment where an API has several, and names them", async () => {
    const { code, stderr } = await session.cli(["key", "create", "--api", "c2p", "--owner", "x"]);
    expect({ code, says: stderr.includes("key.environment: is required: it has test, live") }).toEqual({
      code: 3,
      says: true,
    });
  });

  it("does not need it where there is only one", async () => {
    const input = "id: solo\ndisplay_name: Solo\ntoken_prefix: solo\nenvironments: [prod]\n";
    await session.cli(["api", "apply", "-f", "-"], { input });
    const { key } = await session.json(["key", "create", "--api", "solo", "--owner", "ops"]);
    expect(key.environment).toBe("prod");
  });

  it("makes one key for one --request-id, and ends with 3 where it has no token to print", async () => {
    const again = ["--request-id", randomUUID()];
    const { id } = await newKey(...again);
    const { code, stdout, stderr } = await session.cli([...CREATE, ...again]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(`keywarden key rotate ${id}`);
  });

  it("prints each field that the server refuses on a line", async () => {
    const { code, stderr } = await session.cli([...CREATE, "--allow-cidr", "999.0.0.0/8", "--scope", "a b"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*\n {2}key\.scopes\[0\]: .*\n {2}key\.allowed_cidrs\[0\]: .*\n$/);
  });
});

describe("a key's life", () => {
  it("create, verify, cut, rotate, disable, enable, revoke: each is in force at once", async () => {
    const { id, token } = await newKey("--scope", "orders:read", "--allow-cidr", "203.0.113.0/24");
    const here = ["--client-ip", "203.0.113.7"];
    expect(await verify(token, "--scope", "orders:read", ...here)).toBe(0);
    expect(await verify(token, "--scope", "orders:write", ...here)).toBe(1);
    expect(await verify(token, "--scope", "orders:read", "--client-ip", "198.51.100.1")).toBe(1);
    expect(await verify(token, "--environment", "live", ...here)).toBe(1);

    await session.json(["key", "update", id, "--add-scope", "orders:write", "--clear-cidrs", "--no-expiry"]);
    expect(await verify(token, "--scope", "orders:read AND orders:write")).toBe(0);

    const { token: next } = await session.json(["key", "rotate", id, "--grace", "1h"]);
    expect([await verify(token), await verify(next)]).toEqual([0, 0]);
    const { token: last } = await session.json(["key", "rotate", id]);
    expect([await verify(token), await verify(next), await verify(last)]).toEqual([1, 1, 0]);

    await session.cli(["key", "disable", id]);
    expect(await verify(last)).toBe(1);
    await session.cli(["key", "enable", id]);
    expect(await verify(last)).toBe(0);
    await session.cli(["key", "revoke", id, "--yes"]);
    expect(await verify(last)).toBe(1);
  });

  it("is shown by key get, without its token", async () => {
    const { id, token } = await newKey("--name", "CI", "--metadata", "team=ops");
    const { code, stdout } = await session.cli(["key", "get", id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Key +[0-9a-f-]{36}\nName +CI\nOwner +acct_42\nAPI +c2p, test\nState +active\n/);
    expect(stdout).toContain(`c2p_test_…${token.slice(-4)}`);
    expect(stdout).not.toContain(token);
  });

  it("refuses a change that was made on an older key", async () => {
    const { id } = await newKey();
    const { key } = await session.json(["key", "get", id]);
    await session.json(["key", "update", id, "--name", "first"]);
    const { code, stderr } = await session.cli(["key", "update", id, "--name", "second", "--etag", key.etag]);
    expect({ code, says: stderr.includes("Look at it again") }).toEqual({ code: 3, says: true });
  });
});

describe("key revoke", () => {
  it("is refused without --yes where nobody can be asked, and the key stays", async () => {
    const { id, token } = await newKey();
    expect(await session.cli(["key", "revoke", id], { input: "y\n" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--yes"),
    });
    expect(await verify(token)).toBe(0);
  });

  it("asks a person, with the key's name and owner", async () => {
    const { id, token } = await newKey("--name", "Old CI");
    const declined = await session.cli(["key", "revoke", id], { terminal: true, input: "n\n" });
    expect(declined.code).toBe(2);
    expect(declined.stderr).toContain('Revoke key "Old CI"');
    expect(declined.stderr).toContain("of acct_42, c2p test for ever?");
    expect((await session.cli(["key", "revoke", id], { terminal: true, input: "\u0003" })).code).toBe(130);
    expect(await verify(token)).toBe(0);
    expect((await session.cli(["key", "revoke", id], { terminal: true, input: "y\n" })).code).toBe(0);
    expect(await verify(token)).toBe(1);
  });
});

describe("key list", () => {
  it("goes through all pages, as one table or a line of JSON a page", async () => {
    const owner = ["--owner", `acct_${randomUUID().slice(0, 8)}`];
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await newKey(...owner)).id);
    const table = await session.cli(["key", "list", ...owner, "--page-size", "2", "--all"]);
    expect(table.stdout.match(/^ID /gm)).toHaveLength(1);
    expect(table.stdout.match(/^[0-9a-f-]{36}/gm)).toEqual(ids);
    const json = await session.cli(["key", "list", ...owner, "--page-size", "2", "--all", "--json"]);
    const pages = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).keys.length);
    expect(pages).toEqual([2, 2, 1]);
  });

  it("says on standard error that there is more, and how to see it", async () => {
    const first = await session.cli(["key", "list", "--page-size", "1"]);
    const [, token = ""] = /--page-token (\S+)/.exec(first.stderr) ?? [];
    const second = await session.cli(["key", "list", "--page-size", "1", "--page-token", token]);
    expect(second.code).toBe(0);
    expect(firstId(second.stdout)).toBeDefined();
    expect(firstId(second.stdout)).not.toBe(firstId(first.stdout));
  });

  it("filters by state", async () => {
    const owner = ["--owner", `acct_${randomUUID().slice(0, 8)}`];
    const { id } = await newKey(...owner);
    await session.cli(["key", "disable", id]);
    const { keys } = await session.json(["key", "list", ...owner, "--state", "disabled"]);
    expect(keys).toHaveLength(1);
    expect(await session.cli(["key", "list", ...owner, "--state", "revoked"])).toMatchObject({
      code: 0,
      stderr: "no keys\n",
    });
  });
});

describe("verify", () => {
  it("explains a denial with its reason", async () => {
    const { token } = await newKey("--scope", "orders:read");
    const { stdout } = await session.cli(["verify", "--scope", "orders:write"], { input: token });
    expect(stdout).toMatch(/^✗ denied: INSUFFICIENT_SCOPE\nMessage .*\nHTTP +403\n/);
  });

  it("ends with 3 for a question that cannot be answered", async () => {
    const { code, stderr } = await session.cli(["verify", "--scope", "a AND ("], { input: "x" });
    expect({ code, says: stderr.includes("required_scope") }).toEqual({ code: 3, says: true });
  });

  it("takes no token for none", async () => {
    const { code, stdout } = await session.cli(["verify"]);
    expect({ code, says: stdout.includes("MISSING_TOKEN") }).toEqual({ code: 1, says: true });
  });
});

describe("what a command cannot do", () => {
  it("ends with 3 where the key is not there", async () => {
    expect(await session.cli(["key", "get", NOWHERE])).toMatchObject({ code: 3 });
  });

  it("ends with 3 where the admin token is not the server's, and says where it came from", async () => {
    const variables = {
      KEYWARDEN_ADDRESS: session.server.adminGrpc,
      KEYWARDEN_ADMIN_TOKEN: "kw_live_not_this_one_at_all",
    };
    const { code, stderr } = await keywarden(["key", "list"], { variables });
    expect({ code, says: stderr.includes("KEYWARDEN_ADMIN_TOKEN") }).toEqual({ code: 3, says: true });
    expect(stderr).not.toContain("not_this_one");
  });

  it("ends with 3 where it talks to the wrong plane", async () => {
    const { code, stderr } = await session.cli(["key", "list", "--address", session.server.grpc]);
    expect({ code, says: stderr.includes("another plane") }).toEqual({ code: 3, says: true });
  });
});

it("no output but that of create and rotate has a token, and the admin token is in none", async () => {
  const { id, token } = await newKey();
  const outputs = [
    await session.cli(["key", "get", id, "--json"]),
    await session.cli(["key", "list", "--all", "--json"]),
    await session.cli(["key", "update", id, "--name", "x", "--json"]),
    await session.cli(["verify", "--json"], { input: token }),
    await session.cli(["verify", "--scope", "x:y"], { input: token }),
    await session.cli(["key", "revoke", id, "--yes", "--json"]),
  ];
  const text = JSON.stringify(outputs) + session.server.output();
  expect(text).not.toContain(token);
  expect(text).not.toContain(session.adminToken);
});
