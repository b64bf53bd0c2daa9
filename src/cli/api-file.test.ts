import { readFileSync } from "node:fs";
import { create, equals } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiSchema } from "../gen/keywarden/v1/api_pb.ts";
import { parseApiFile } from "./api-file.ts";
import { apiYaml } from "./api-yaml.ts";
import { Failure } from "./failure.ts";

const MINIMAL = "id: a\ndisplay_name: A\ntoken_prefix: a\nenvironments: [test]\n";

function problems(text: string): readonly string[] {
  try {
    parseApiFile(text, "api.yaml");
    return [];
  } catch (error) {
    if (error instanceof Failure) return error.next;
    throw error;
  }
}

describe("an API's file", () => {
  it("may say only what is needed", () => {
    expect(parseApiFile(MINIMAL, "api.yaml")).toMatchObject({
      apiId: "a",
      environments: ["test"],
      scopes: [],
    });
  });

  it("has durations, quotas and a catalogue", () => {
    const text = `${MINIMAL}scopes: { "orders:read": Read, "orders:write": }
route_rules: [{ path: /x, cost: 3 }]
key_defaults: { ttl: 90d, rate_limits: { default: 100/1m } }
imported_token_shapes: [{ prefix: sk_, min_length: 20, max_length: 40 }]
`;
    expect(parseApiFile(text, "api.yaml")).toMatchObject({
      scopes: [
        { name: "orders:read", description: "Read" },
        { name: "orders:write", description: "" },
      ],
      routeRules: [{ methods: [], path: "/x", requiredScope: "", cost: 3, environment: "" }],
      keyDefaults: {
        ttl: durationFromMs(7_776_000_000),
        rateLimits: [{ name: "default", quota: 100, window: durationFromMs(60_000) }],
      },
      importedTokenShapes: [{ prefix: "sk_", minLength: 20, maxLength: 40 }],
    });
  });

  it("is refused with the place of each mistake", () => {
    const text = `id: 7
display_nam: A
token_prefix: a
environments: test
route_rules:
  - path: /a
    cost: -1
    method: [GET]
key_defaults:
  ttl: 5y
  rate_limits: { default: 100 }
`;
    expect(problems(text)).toEqual([
      "api.yaml:1:1: display_name: is missing",
      "api.yaml:1:5: id: write text, in quotes if it looks like a number",
      "api.yaml:2:1: display_nam: did you mean display_name?",
      "api.yaml:4:15: environments: write a list, such as [test, live]",
      "api.yaml:7:11: route_rules.0.cost: write a whole number",
      "api.yaml:8:5: route_rules.0.method: did you mean methods?",
      "api.yaml:10:8: key_defaults.ttl: write a whole number and a unit (d, h, m, s or ms), such as 90d, 24h, 30m, 10s or 500ms",
      "api.yaml:11:27: key_defaults.rate_limits.default: write text, in quotes if it looks like a number",
    ]);
  });

  it.each([
    ["is empty", "", "api.yaml:1:1: write the fields of an API, such as id: c2p"],
    ["is a list", "- a", "api.yaml:1:1: write the fields of an API, such as id: c2p"],
    ["says a field twice", `${MINIMAL}id: b\n`, "api.yaml:5:1: Map keys must be unique"],
    ["is not YAML", "id: [", "api.yaml:1:6"],
    ["has an alias that leads nowhere", "id: *x", "Unresolved alias"],
    [
      "has a field that nobody knows",
      `${MINIMAL}colour: red`,
      "api.yaml:5:1: colour: there is no such field",
    ],
  ])("is refused if it %s", (_what, text, problem) => {
    expect(problems(text)[0]).toContain(problem);
  });

  it("is refused if its aliases explode", () => {
    const laughs = Array.from(
      { length: 12 },
      (_, level) =>
        `l${level}: &l${level} [${
          level === 0
            ? "x"
            : Array(9)
                .fill(`*l${level - 1}`)
                .join(", ")
        }]`,
    );
    expect(problems(laughs.join("\n"))[0]).toMatch(/alias/i);
  });

  it("comes back the same from its normal form", () => {
    const text = fc.string({ minLength: 1, maxLength: 20 });
    const api = fc.record({
      apiId: text,
      displayName: text,
      tokenPrefix: text,
      environments: fc.array(text, { minLength: 1 }),
      scopes: fc.uniqueArray(
        fc.record({ name: fc.stringMatching(/^[a-z]+:[a-z]+$/), description: fc.string() }),
        {
          selector: ({ name }) => name,
        },
      ),
      routeRules: fc.array(
        fc.record({
          methods: fc.array(text),
          path: text,
          requiredScope: fc.string(),
          cost: fc.integer({ min: 1, max: 1_000_000 }),
          environment: fc.string(),
        }),
      ),
      keyDefaults: fc.record({
        ttl: fc.integer({ min: 1, max: 100_000_000 }).map(durationFromMs),
        rateLimits: fc.uniqueArray(
          fc.record({
            name: fc.stringMatching(/^[a-z]{1,8}$/),
            quota: fc.integer({ min: 1, max: 1_000_000 }),
            window: fc.integer({ min: 1_000, max: 100_000_000 }).map(durationFromMs),
          }),
          { selector: ({ name }) => name },
        ),
      }),
      importedTokenShapes: fc.array(
        fc.record({ prefix: fc.string(), minLength: fc.nat(), maxLength: fc.nat() }),
      ),
    });
    fc.assert(
      fc.property(api, (init) => {
        const message = create(ApiSchema, init);
        expect(equals(ApiSchema, parseApiFile(apiYaml(message), "api.yaml"), message)).toBe(true);
      }),
    );
  });
});

describe("examples/connect2print.yaml", () => {
  const text = readFileSync(new URL("../../examples/connect2print.yaml", import.meta.url), "utf8");
  const api = parseApiFile(text, "connect2print.yaml");

  const rule = (method: string, path: string) =>
    api.routeRules.find((candidate) => candidate.path === path && candidate.methods.includes(method))
      ?.requiredScope;

  it("is the whole API: 23 scopes, two environments, the prefix c2p", () => {
    expect(api).toMatchObject({ apiId: "c2p", tokenPrefix: "c2p", environments: ["test", "live"] });
    const split = [
      "orders",
      "customers",
      "addresses",
      "cart",
      "files",
      "shipments",
      "production",
      "invoices",
      "quotes",
      "webhooks",
      "stock",
    ];
    const names = [
      ...split.flatMap((resource) => [`${resource}:read`, `${resource}:write`]),
      "products:read",
    ];
    expect(api.scopes.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(api.scopes.every(({ description }) => description !== "")).toBe(true);
  });

  it("has a rule for reading and for writing each resource, and none that writes products", () => {
    for (const { name } of api.scopes) {
      const [resource, access] = name.split(":");
      const methods = access === "read" ? ["GET"] : ["POST", "PUT", "PATCH", "DELETE"];
      for (const path of [`/api/v1/${resource}`, `/api/v1/${resource}/*`]) {
        expect(methods.map((method) => rule(method, path))).toEqual(methods.map(() => name));
      }
    }
    expect(rule("POST", "/api/v1/products")).toBeUndefined();
  });
});
