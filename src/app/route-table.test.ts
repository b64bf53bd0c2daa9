import { describe, expect, it } from "vitest";
import { routeRule } from "../../test/support/route-rule.ts";
import type { RouteRule } from "../domain/api.ts";
import { LONGEST_REQUEST_PATH, type RequestPath } from "../domain/request-path.ts";
import { RouteTable } from "./route-table.ts";

/** `GET,POST /orders/:id live`; `*` for all methods. */
function rule(text: string): RouteRule {
  const [methods = "", path = "", environment = ""] = text.split(" ");
  return routeRule(`${methods} ${path} - ${environment}`);
}

/** The rules that count, as they were written. */
function counting(rules: readonly string[], method: string, path: string, environment?: string) {
  const found = new RouteTable(rules.map(rule)).find(method, path as RequestPath, environment);
  return found.map(({ index }) => rules[index]);
}

describe("of rules that are for a request, the most specific one counts", () => {
  const rules = ["GET /*", "GET /a/*", "GET /a/:x", "GET /a/b", "GET /:x/b/c", "GET /a/:x/d", "GET /a/b/:y"];
  const shuffled = [...rules.slice(3), ...rules.slice(0, 3)];

  it.each([
    ["/a/b", "GET /a/b"],
    ["/a/c", "GET /a/:x"],
    ["/a/b/c", "GET /a/b/:y"],
    ["/a/c/d", "GET /a/:x/d"],
    ["/a/b/d", "GET /a/b/:y"],
    ["/a/c/e", "GET /a/*"],
    ["/x/b/c", "GET /:x/b/c"],
    ["/a/", "GET /a/*"],
    ["/a", "GET /*"],
    ["/", "GET /*"],
    ["/A/b", "GET /*"],
    ["/a/b/", "GET /a/*"],
    ["/ab", "GET /*"],
  ])("%s: %s", (path, expected) => {
    expect(counting(rules, "GET", path)).toEqual([expected]);
    expect(counting(shuffled, "GET", path)).toEqual([expected]);
  });
});

it("a slash at the end, a doubled one and capitals make another path", () => {
  expect(counting(["GET /a"], "GET", "/a/")).toEqual([]);
  expect(counting(["GET /a/"], "GET", "/a")).toEqual([]);
  expect(counting(["GET /a/"], "GET", "/a/")).toEqual(["GET /a/"]);
  expect(counting(["GET /a"], "GET", "//a")).toEqual([]);
  expect(counting(["GET /a"], "GET", "/A")).toEqual([]);
});

it(":name stands for one segment with something in it, and * for the rest with or without", () => {
  expect(counting(["GET /a/:x"], "GET", "/a/")).toEqual([]);
  expect(counting(["GET /a/:x"], "GET", "/a/b/c")).toEqual([]);
  expect(counting(["GET /a/:x/"], "GET", "/a/b/")).toEqual(["GET /a/:x/"]);
  for (const name of ["\u2028", "é\u2029", "a b", "😀", "(", ")", "$&"]) {
    expect(counting(["GET /a/:x", "GET /a/*"], "GET", `/a/${name}`)).toEqual(["GET /a/:x"]);
  }
  expect(counting(["GET /a/*"], "GET", "/a/")).toEqual(["GET /a/*"]);
  expect(counting(["GET /a/*"], "GET", "/a/b/c/")).toEqual(["GET /a/*"]);
  expect(counting(["GET /a/*"], "GET", "/a")).toEqual([]);
});

it("what means something to find-my-way means nothing in a rule or a request", () => {
  expect(counting(["GET /a:b", "GET /:x"], "GET", "/a:b")).toEqual(["GET /a:b"]);
  expect(counting(["GET /a:b"], "GET", "/ab")).toEqual([]);
  expect(counting(["GET /a:::b:"], "GET", "/a:::b:")).toEqual(["GET /a:::b:"]);
  expect(counting(["GET /v1/orders:cancel", "GET /v1/:x"], "GET", "/v1/orders:pay")).toEqual(["GET /v1/:x"]);
  expect(counting(["GET /(a)", "GET /a(b)c"], "GET", "/(a)")).toEqual(["GET /(a)"]);
  expect(counting(["GET /a(b)c"], "GET", "/abc")).toEqual([]);
  expect(counting(["GET /:x"], "GET", "/:x")).toEqual(["GET /:x"]);
  expect(counting(["GET /a"], "GET", "/*")).toEqual([]);
  expect(counting(["GET /a-b.c", "GET /:x"], "GET", "/a-b.c")).toEqual(["GET /a-b.c"]);
  expect(counting(["GET /:x/__proto__"], "GET", "/constructor/__proto__")).toEqual(["GET /:x/__proto__"]);
});

it("a segment may be as long as a path", () => {
  const long = `/${"x".repeat(LONGEST_REQUEST_PATH - 1)}`;
  expect(counting(["GET /:x", "GET /*"], "GET", long)).toEqual(["GET /:x"]);
});

describe("of rules for the same path", () => {
  it("one that names the method comes before one for all, which is also for methods that none can name", () => {
    const rules = ["* /a", "GET /a", "POST /a"];
    expect(counting(rules, "GET", "/a")).toEqual(["GET /a"]);
    expect(counting(rules, "POST", "/a")).toEqual(["POST /a"]);
    expect(counting(rules, "DELETE", "/a")).toEqual(["* /a"]);
    expect(counting(rules, "PROPFIND", "/a")).toEqual(["* /a"]);
    expect(counting(rules, "get", "/a")).toEqual(["* /a"]);
    expect(counting(["GET /a"], "get", "/a")).toEqual([]);
    for (const none of ["", "GET ", "GET\0", "x".repeat(40)]) expect(counting(rules, none, "/a")).toEqual([]);
  });

  it("HEAD falls under that for GET, unless one names HEAD", () => {
    expect(counting(["* /a", "GET /a"], "HEAD", "/a")).toEqual(["GET /a"]);
    expect(counting(["* /a", "GET /a", "HEAD /a"], "HEAD", "/a")).toEqual(["HEAD /a"]);
    expect(counting(["GET /a/b", "HEAD /a/*"], "HEAD", "/a/b")).toEqual(["GET /a/b"]);
    expect(counting(["POST /a"], "HEAD", "/a")).toEqual([]);
  });

  it("OPTIONS falls under what names it or is for all, as any other", () => {
    expect(counting(["GET /a"], "OPTIONS", "/a")).toEqual([]);
    expect(counting(["GET /a", "* /a"], "OPTIONS", "/a")).toEqual(["* /a"]);
    expect(counting(["OPTIONS /a", "* /a"], "OPTIONS", "/a")).toEqual(["OPTIONS /a"]);
  });

  it("a more specific path that is for other methods does not count", () => {
    expect(counting(["GET /a/b", "* /a/*"], "DELETE", "/a/b")).toEqual(["* /a/*"]);
  });

  it("one of the environment that is told comes before one for all, and those of others do not count", () => {
    const rules = ["GET /a", "GET /a live", "GET /b test", "GET /* live"];
    expect(counting(rules, "GET", "/a", "live")).toEqual(["GET /a live"]);
    expect(counting(rules, "GET", "/a", "test")).toEqual(["GET /a"]);
    expect(counting(rules, "GET", "/a", "other")).toEqual(["GET /a"]);
    expect(counting(rules, "GET", "/b", "test")).toEqual(["GET /b test"]);
    expect(counting(rules, "GET", "/b", "live")).toEqual(["GET /* live"]);
    expect(counting(rules, "GET", "/c", "test")).toEqual([]);
  });

  it("a path counts before a method, and that before an environment", () => {
    expect(counting(["* /a/b", "GET /a/:x live"], "GET", "/a/b", "live")).toEqual(["* /a/b"]);
    expect(counting(["GET /a", "* /a live"], "GET", "/a", "live")).toEqual(["GET /a"]);
  });

  it("several are equally close where nothing tells the environment", () => {
    expect(counting(["GET /a live", "GET /a test"], "GET", "/a")).toEqual(["GET /a live", "GET /a test"]);
    expect(counting(["GET /a", "GET /a test"], "GET", "/a")).toEqual(["GET /a", "GET /a test"]);
    expect(counting(["GET /a live", "* /a test"], "GET", "/a")).toEqual(["GET /a live"]);
    expect(counting(["GET /a/b live", "GET /a/* test"], "GET", "/a/b")).toEqual(["GET /a/b live"]);
  });
});

it("what requests say makes no more trees than rules can name methods and environments", () => {
  const table = new RouteTable([rule("GET /a live"), rule("* /a")]);
  for (let index = 0; index < 1_000; index++) {
    table.find(`M${index}`, "/a" as RequestPath, `e${index}`);
    table.find("GET", "/a" as RequestPath, `e${index}`);
    table.find(`M${index}`, "/a" as RequestPath, "live");
  }
  expect(table.treeCount).toBe(3);
});
