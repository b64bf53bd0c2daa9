import { describe, expect, it } from "vitest";
import type { RouteRule } from "./api.ts";
import { checkRouteRules } from "./route-rules.ts";

/** `GET,POST /orders/:id live`; `*` for all methods. */
function rule(text: string): RouteRule {
  const [methods = "", path = "", environment = ""] = text.split(" ");
  return {
    methods: methods === "*" ? [] : methods.split(","),
    path,
    requiredScope: "",
    cost: 1,
    environment,
  };
}

const check = (rules: readonly string[], environments = ["test", "live"]) =>
  checkRouteRules(rules.map(rule), environments);

describe("rules for the same requests, of which neither is more specific, are refused", () => {
  it.each([
    [["GET /a", "GET /a"], 'GET "/a", and GET "/a"'],
    [["GET /a/:x", "GET /a/:y"], 'GET "/a/:x", and GET "/a/:y"'],
    [["GET,POST /a/:x/b/:y", "POST,PUT /a/:y/b/:x"], 'GET, POST "/a/:x/b/:y", and POST, PUT "/a/:y/b/:x"'],
    [["* /a/*", "* /a/*"], 'all methods "/a/*", and all methods "/a/*"'],
    [["GET /a live", "GET /a live"], 'GET "/a" in live, and GET "/a" in live'],
    [["GET /", "GET /"], 'GET "/", and GET "/"'],
  ])("%j", (rules, named) => {
    expect(check(rules)).toEqual([
      {
        field: "api.route_rules[1].path",
        description: `is for requests that api.route_rules[0] is for already, and neither is more specific: ${named}`,
      },
    ]);
  });

  it("each of them, with the first", () => {
    expect(check(["GET /b", "GET /a", "GET /a"])[0]?.description).toContain("api.route_rules[1]");
    const fields = check(["GET /b", "GET /a", "GET /b", "GET /c", "GET /b"]).map(({ field }) => field);
    expect(fields).toEqual(["api.route_rules[2].path", "api.route_rules[4].path"]);
    expect(check(["GET /b", "GET /a", "GET /b", "GET /b"])[1]?.description).toContain("api.route_rules[0]");
  });
});

describe("rules of which one is more specific are not", () => {
  it.each([
    [["GET /a", "POST /a", "* /a"]],
    [["GET /a", "GET /a/"]],
    [["GET /a", "GET /A"]],
    [["GET /a/b", "GET /a/:x", "GET /a/*", "GET /*", "GET /:x"]],
    [["GET /a", "GET,HEAD /b", "HEAD /a"]],
    [["GET /a", "GET /a live"]],
    [["GET /a test", "GET /a live"]],
    [["GET,POST /a", "GET /a test", "GET /a live"]],
    [["* /a", "GET /a test", "GET /a live"]],
    [["GET /a", "* /a test", "* /a live"]],
    [["GET /a/:x", "GET /a/:y/b"]],
    [["GET /a:b", "GET /:b"]],
    [["GET /a live", "GET /alive"]],
  ])("%j", (rules) => expect(check(rules)).toEqual([]));
});

describe("a rule that can never count, as each environment has its own for the same requests, is refused", () => {
  it.each([
    [
      ["GET /a/:x", "GET /a/:y test", "GET /a/:z live"],
      'GET "/a/:x"',
      "api.route_rules[1], api.route_rules[2]",
    ],
    [["* /a", "* /a test", "* /a live"], 'all methods "/a"', "api.route_rules[1], api.route_rules[2]"],
    [
      ["GET,POST /a", "GET,POST /a test", "GET /a live", "POST,PUT /a live"],
      'GET, POST "/a"',
      "api.route_rules[1], api.route_rules[2], api.route_rules[3]",
    ],
  ])("%j", (rules, named, others) => {
    expect(check(rules)).toEqual([
      {
        field: "api.route_rules[0].environment",
        description: `${named} can never count: each environment has a rule of its own for its requests (${others})`,
      },
    ]);
  });

  it("also where there is one environment only", () => {
    expect(check(["GET /a", "GET /a live"], ["live"])).toHaveLength(1);
    expect(check(["GET /a", "GET /a live"], ["live", "test"])).toEqual([]);
  });
});

it("rules are only compared once each is right for itself, and the environments are", () => {
  expect(check(["GET /a", "GET /a", "GET a"]).map(({ field }) => field)).toEqual(["api.route_rules[2].path"]);
  expect(
    check(
      ["GET /a", "GET /a"],
      Array.from({ length: 9 }, (_, index) => `e${index}`),
    ),
  ).toEqual([]);
  expect(check(["GET /a"], [])).toEqual([]);
});

it("a long path is cut where it is named", () => {
  const path = `/${"x".repeat(500)}`;
  for (const { description } of check([`GET ${path}`, `GET ${path}`])) {
    expect(description.length).toBeLessThan(300);
  }
});

it("a rule hears of the API's environments, of those that are right", () => {
  const environments = ["NOT ONE", ...Array.from({ length: 9 }, (_, index) => `e${index}`)];
  expect(check(["GET /a prod"], environments)).toEqual([
    {
      field: "api.route_rules[0].environment",
      description: "is one of the API's: e0, e1, e2, e3, e4, e5, e6, e7",
    },
  ]);
});

it("a rule of every method there is has none twice", () => {
  expect(check(["GET,HEAD,POST,PUT,PATCH,DELETE,GET /a"]).map(({ field }) => field)).toEqual([
    "api.route_rules[0].methods[6]",
  ]);
});
