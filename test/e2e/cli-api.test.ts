import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliSession, EXAMPLE } from "./cli-session.ts";

let session: Awaited<ReturnType<typeof cliSession>>;
beforeAll(async () => {
  session = await cliSession();
});
afterAll(() => session.close());

function variant(name: string, change: (text: string) => string): string {
  const file = join(session.server.directory, name);
  writeFileSync(file, change(readFileSync(EXAMPLE, "utf8")));
  return file;
}

async function etag(): Promise<string> {
  return (await session.json(["api", "get", "c2p"])).api.etag;
}

describe("api apply", () => {
  it("with --dry-run shows a new API and makes none", async () => {
    const { code, stdout, stderr } = await session.cli(["api", "apply", "-f", EXAMPLE, "--dry-run"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "Nothing was changed (--dry-run).\n" });
    expect(stdout).toContain("--- (not on the server)");
    expect(stdout).toContain("+  orders:read: Read orders");
    expect(await session.cli(["api", "get", "c2p"])).toMatchObject({ code: 3 });
  });

  it("makes the API, and a second time changes nothing", async () => {
    expect(await session.cli(["api", "apply", "-f", EXAMPLE])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("✓ Created API c2p"),
    });
    const before = await etag();
    expect(await session.cli(["api", "apply", "-f", EXAMPLE])).toMatchObject({
      code: 0,
      stdout: "✓ API c2p is unchanged\n",
    });
    expect(await etag()).toBe(before);
  });

  it("reads standard input, and takes what api get prints", async () => {
    const { stdout } = await session.cli(["api", "get", "c2p"]);
    expect(await session.cli(["api", "apply", "-f", "-"], { input: stdout })).toMatchObject({
      stdout: "✓ API c2p is unchanged\n",
    });
  });

  it("shows what differs, and changes that", async () => {
    const file = variant("renamed.yaml", (text) =>
      text.replace("display_name: Connect2Print", "display_name: C2P"),
    );
    const { code, stdout } = await session.cli(["api", "apply", "-f", file]);
    expect(code).toBe(0);
    expect(stdout).toContain("-display_name: Connect2Print\n+display_name: C2P\n");
    expect((await session.json(["api", "get", "c2p"])).api.displayName).toBe("C2P");
  });

  it("takes a scope away only when that is confirmed", async () => {
    const file = variant("fewer.yaml", (text) => text.replace(/ {2}products:read: .*\n/, ""));
    const before = await etag();
    const asked = await session.cli(["api", "apply", "-f", file]);
    expect(asked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("! removes the scope products:read"),
    });
    expect(await session.cli(["api", "apply", "-f", file], { terminal: true, input: "n\n" })).toMatchObject({
      code: 2,
    });
    expect(await etag()).toBe(before);
    expect(await session.cli(["api", "apply", "-f", file], { terminal: true, input: "y\n" })).toMatchObject({
      code: 0,
    });
    expect(await session.cli(["api", "apply", "-f", EXAMPLE, "--yes"])).toMatchObject({ code: 0 });
  });

  it("takes the shapes of imported tokens away, or narrows them, only when that is confirmed", async () => {
    const shapes = 'imported_token_shapes: [{ prefix: "sk_", min_length: 20, max_length: 64 }]\n';
    const wide = variant("shapes.yaml", (text) => `${text}\n${shapes}`);
    const narrow = variant("narrower.yaml", (text) => `${text}\n${shapes.replace("sk_", "sk_live_")}`);
    await session.cli(["api", "apply", "-f", wide]);
    const before = await etag();
    for (const file of [EXAMPLE, narrow]) {
      expect(await session.cli(["api", "apply", "-f", file])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/! removes or narrows the shape of imported tokens \{ prefix: "sk_", /),
      });
    }
    expect(await etag()).toBe(before);
    expect(await session.cli(["api", "apply", "-f", EXAMPLE, "--yes"])).toMatchObject({ code: 0 });
  });

  it("does not overwrite a change that was made while it asked", async () => {
    const file = variant("asked.yaml", (text) => text.replace(/ {2}products:read: .*\n/, ""));
    const other = variant("meanwhile.yaml", (text) => text.replace("ttl: 365d", "ttl: 30d"));
    const answer = async () => {
      await session.cli(["api", "apply", "-f", other]);
      return "y";
    };
    const { code, stderr } = await session.cli(["api", "apply", "-f", file], { terminal: true, answer });
    expect({ code, says: stderr.includes("Look at it again") }).toEqual({ code: 3, says: true });
    await session.cli(["api", "apply", "-f", EXAMPLE]);
  });

  it("cannot take away an environment that has keys", async () => {
    await session.json(["key", "create", "--api", "c2p", "--environment", "live", "--owner", "acct_1"]);
    const file = variant("no-live.yaml", (text) => text.replace("[ test, live ]", "[ test ]"));
    const { code, stderr } = await session.cli(["api", "apply", "-f", file, "--yes"]);
    expect(code).toBe(3);
    expect(stderr).toContain("! removes the environment live");
  });

  it("cannot change the token prefix", async () => {
    const file = variant("prefix.yaml", (text) => text.replace("token_prefix: c2p", "token_prefix: cp"));
    expect(await session.cli(["api", "apply", "-f", file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot change"),
    });
  });

  it("prints each field that the server refuses", async () => {
    const file = variant("bad.yaml", (text) =>
      text.replace("id: c2p", "id: other").replace("display_name: Connect2Print", 'display_name: ""'),
    );
    const { code, stderr } = await session.cli(["api", "apply", "-f", file]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/error: the server refused the request\n {2}api\.display_name: /);
  });
});

describe("api list, get and delete", () => {
  it("shows every API", async () => {
    const { stdout } = await session.cli(["api", "list"]);
    expect(stdout).toMatch(/^ID +NAME +TOKENS/);
    expect(stdout).toMatch(/^c2p +Connect2Print +c2p_… +test, live +23 /m);
  });

  it("goes through the pages with --all", async () => {
    const { stdout } = await session.cli(["api", "list", "--page-size", "1", "--all", "--json"]);
    const pages = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(pages.map(({ apis }) => apis[0].apiId)).toEqual(["c2p", "keywarden"]);
  });

  it("deletes one without keys, once that is confirmed, and not one with keys", async () => {
    const file = variant("gone.yaml", (text) =>
      text.replace("id: c2p", "id: gone").replace("token_prefix: c2p", "token_prefix: gone"),
    );
    await session.cli(["api", "apply", "-f", file]);
    expect(await session.cli(["api", "delete", "gone"])).toMatchObject({ code: 2 });
    expect(await session.cli(["api", "delete", "gone", "--yes"])).toMatchObject({
      code: 0,
      stdout: "✓ Deleted API gone\n",
    });
    expect(await session.cli(["api", "get", "gone"])).toMatchObject({ code: 3 });
    expect(await session.cli(["api", "delete", "c2p", "--yes"])).toMatchObject({ code: 3 });
  });
});
