import { expect, it } from "vitest";
import { parseCallerFile } from "./caller-file.ts";

const file = { setting: "--tls-callers", path: "/etc/kw/callers.yaml" };

it("a client certificate's name stands for a caller, bound to what the file says", () => {
  const content = `
- san: spiffe://example/ns/shop/sa/orders
  api: c2p
  environment: live
- san: DNS:gateway.example
  apis: [c2p, orders]
- san: URI:urn:uuid:0193b0a8-0000-7000-8000-000000000001
`;
  expect([...parseCallerFile(file, content)]).toEqual([
    ["URI:spiffe://example/ns/shop/sa/orders", { apis: ["c2p"], environment: "live" }],
    ["DNS:gateway.example", { apis: ["c2p", "orders"], environment: null }],
    ["URI:urn:uuid:0193b0a8-0000-7000-8000-000000000001", { apis: [], environment: null }],
  ]);
  expect(parseCallerFile(file, "[]").size).toBe(0);
});

it.each([
  ["- san: spiffe://a/b\n  enviroment: live", /caller 1: .*enviroment/],
  ["- san: spiffe://a/b\n- san: spiffe://a/b", /caller 2: its san is there twice/],
  ["- san: spiffe://a/b\n- san: URI:spiffe://a/b", /caller 2: its san is there twice/],
  ["- san: spiffe://a/b\n  api: c2p\n  apis: [c2p]", /caller 1: write api or apis/],
  ["- san: spiffe://a/b\n  apis: []", /caller 1 apis: name an API/],
  ["- san: spiffe://a/b\n  api: C2P", /caller 1 api: write the id/],
  ["- san: spiffe://a/b\n  environment: '*'", /caller 1 environment: write the name/],
  ["- san: gateway.example", /caller 1 san: write a URI/],
  ["- san: 'DNS:a, DNS:b'", /caller 1 san: write a URI/],
  ["- api: c2p", /caller 1 san: write a URI/],
  ["san: spiffe://a/b", /the file: /],
  ["", /the file: /],
  ["- san: *.example.com", /alias.*between quotes/],
  ["- &a [*b]", /alias/],
  ["- san: '*.example.com'", /caller 1 san: write a URI/],
  ["- san: [", /no list of callers: /],
  ["- san: spiffe://a/b\n  san: spiffe://a/c", /no list of callers: .*unique/i],
])("a file that says %j is refused, with the place", (content, problem) => {
  expect(() => parseCallerFile(file, content)).toThrow(
    expect.objectContaining({
      status: "FAILED_PRECONDITION",
      reason: "TLS_CALLERS_INVALID",
      message: expect.stringMatching(/^--tls-callers \/etc\/kw\/callers\.yaml is no list of callers: /),
    }),
  );
  expect(() => parseCallerFile(file, content)).toThrow(problem);
});
