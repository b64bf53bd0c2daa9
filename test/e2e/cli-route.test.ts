import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliSession, EXAMPLE } from "./cli-session.ts";

let session: Awaited<ReturnType<typeof cliSession>>;
beforeAll(async () => {
  session = await cliSession();
});
afterAll(() => session.close());

const explain = (...args: readonly string[]) => session.cli(["route", "explain", ...args]);

describe("route explain", () => {
  it("says that there is no API yet", async () => {
    const { code, stderr } = await explain("GET", "/api/v1/orders");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: there is no API yet\n  keywarden api apply makes one.\n",
    });
  });

  it("shows the rule of a request to the only API, with what it needs and costs", async () => {
    await session.cli(["api", "apply", "-f", EXAMPLE]);
    const { code, stdout } = await explain("GET", "/api/v1/orders/7?page=2");
    expect(code).toBe(0);
    expect(stdout).toBe(
      "✓ there is a rule\n" +
        "Rule          2: GET /api/v1/orders/*\n" +
        "Needs         orders:read\n" +
        "Costs         1\n" +
        "Environment   the caller's, which has to be told\n",
    );
    expect((await explain("GET", "/api/v1/orders/7", "--environment", "live")).stdout).toContain(
      "Environment   live\n",
    );
  });

  it("ends with 1 where there is none, and says what is the matter", async () => {
    const none = await explain("DELETE", "/api/v1/products/7");
    expect(none).toMatchObject({
      code: 1,
      stdout:
        '✗ NO_ROUTE: no rule of c2p is for "DELETE" "/api/v1/products/7"; this path has rules for GET\n',
    });
    const unsafe = await explain("GET", "/api/v1/orders/..;/admin");
    expect(unsafe).toMatchObject({
      code: 1,
      stdout: "✗ UNSAFE_PATH: the path has a ';' (%3B), behind which some servers see no path any more\n",
    });
  });

  it("prints the whole answer for programs", async () => {
    const { code, stdout } = await explain("HEAD", "/api/v1/stock", "--environment", "test", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      outcome: "OUTCOME_MATCHED",
      match: {
        index: 40,
        rule: { methods: ["GET"], path: "/api/v1/stock", requiredScope: "stock:read", cost: 1 },
      },
      environment: "test",
    });
  });

  it("shows what else is for the request, and has several APIs told apart", async () => {
    const file = join(session.server.directory, "shop.yaml");
    const rules = [
      "{ path: /*, required_scope: any }",
      "{ methods: [GET], path: /a, required_scope: live, environment: live }",
      "{ methods: [GET], path: /a, environment: test, cost: 5 }",
    ];
    writeFileSync(
      file,
      "id: shop\ndisplay_name: Shop\ntoken_prefix: shop\nenvironments: [test, live]\nroute_rules:\n" +
        rules.map((rule) => `  - ${rule}\n`).join(""),
    );
    expect(await session.cli(["api", "apply", "-f", file])).toMatchObject({ code: 0 });
    expect(await explain("GET", "/a")).toMatchObject({
      code: 2,
      stderr: "error: there are several APIs\n  Say which one is called: --api <id>.\n",
    });
    const live = await explain("GET", "/a", "--api", "shop", "--environment", "live");
    expect(live.stdout).toContain("Rule          1: GET /a\nNeeds         live\n");
    expect(live.stdout).toMatch(
      /\nLess specific rules for it:\nRULE +NEEDS +COSTS +ENVIRONMENT\n0: all methods \/\* +any +1 +all\n/,
    );
    const open = await explain("GET", "/a", "--api", "shop");
    expect(open.code).toBe(1);
    expect(open.stdout).toMatch(/^✗ ENVIRONMENT_REQUIRED: the API has several environments \(test, live\)/);
    expect(open.stdout).toMatch(
      /Rules that it might fall under:\n.*\n1: GET \/a +live +1 +live\n2: GET \/a +any valid key +5 +test\n0: /,
    );
    expect(await explain("GET", "/a", "--api", "nope")).toMatchObject({ code: 3 });
    expect(await explain("G T", "/a", "--api", "shop")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("method: is an HTTP method such as GET"),
    });
  });

  it("applies no file in which two rules are for the same requests, and names both", async () => {
    const file = join(session.server.directory, "twins.yaml");
    writeFileSync(
      file,
      "id: twins\ndisplay_name: Twins\ntoken_prefix: twins\nenvironments: [test, live]\nroute_rules:\n" +
        "  - { methods: [GET], path: /a/:x }\n  - { methods: [GET, PUT], path: /a/:y, required_scope: a:write }\n",
    );
    const { code, stderr } = await session.cli(["api", "apply", "-f", file]);
    expect(code).toBe(3);
    expect(stderr).toContain(
      "api.route_rules[1].path: is for requests that api.route_rules[0] is for already, and neither is more specific: " +
        'GET "/a/:x", and GET, PUT "/a/:y"',
    );
  });

  it("is shown in the help, with examples", async () => {
    const { code, stdout } = await session.cli(["route", "explain", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("keywarden route explain GET /api/v1/orders/7\n");
  });
});
