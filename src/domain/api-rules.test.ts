import { describe, expect, test } from "vitest";
import { type ApiFields, checkApiFields } from "./api-rules.ts";

const route = {
  methods: ["GET"],
  path: "/api/v1/orders",
  requiredScope: "orders:read",
  cost: 1,
  environment: "",
};
const shape = { prefix: "sk-", minLength: 16, maxLength: 64 };
const limit = { name: "default", quota: 100, window: 60_000 };
const api: ApiFields = {
  id: "c2p",
  displayName: "Connect2Print",
  tokenPrefix: "c2p",
  environments: ["test", "live"],
  scopes: [
    { name: "orders:read", description: "Read orders" },
    { name: "orders:write", description: "" },
  ],
  routeRules: [route],
  keyDefaults: { ttl: null, rateLimits: [limit] },
  importedTokenShapes: [shape],
};
const times = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, i) => item(i));
const named = (count: number) => times(count, (i) => ({ name: `s${i}`, description: "" }));

const withRoute = (changes: Partial<typeof route>) => ({
  routeRules: [route, { ...route, path: "/other", ...changes }],
});
const withShape = (changes: Partial<typeof shape>) => ({ importedTokenShapes: [{ ...shape, ...changes }] });
const withTtl = (ttl: number) => ({ keyDefaults: { ttl, rateLimits: [] } });

describe("an API may have", () => {
  test.each<[string, Partial<ApiFields>]>([
    ["all that an ordinary one has", {}],
    ["names of one character", { id: "a", tokenPrefix: "a", displayName: "x", environments: ["a"] }],
    [
      "the longest names",
      { id: "a-9".repeat(10).concat("ab"), tokenPrefix: "a9".repeat(8), displayName: "x".repeat(128) },
    ],
    ["the built-in id as prefix, and the other way round", { id: "kw", tokenPrefix: "keywarden" }],
    [
      "8 environments, with names up to 16 characters",
      { environments: times(8, (i) => `e${i}`).with(7, "e".repeat(16)) },
    ],
    [
      "empty lists, and a ttl of a second",
      { scopes: [], routeRules: [], importedTokenShapes: [], keyDefaults: { ttl: 1000, rateLimits: [] } },
    ],
    ["1,000 scopes", { scopes: named(1000) }],
    ["a description of 256 characters", { scopes: [{ name: "a", description: "x".repeat(256) }] }],
    ["1,000 route rules", { routeRules: times(1000, (index) => ({ ...route, path: `/r${index}` })) }],
    [
      "a route for all methods, any key, the greatest cost and one environment",
      { routeRules: [{ ...route, methods: [], requiredScope: "", cost: 1_000_000, environment: "live" }] },
    ],
    [
      "a route for every method by name",
      { routeRules: [{ ...route, methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] }] },
    ],
    [
      "a ttl of 90 days and 8 rate limits",
      { keyDefaults: { ttl: 90 * 86_400_000, rateLimits: times(8, (i) => ({ ...limit, name: `l${i}` })) } },
    ],
    ["8 imported token shapes", { importedTokenShapes: times(8, () => shape) }],
    [
      "an imported shape of the least length, without a prefix",
      { importedTokenShapes: [{ prefix: "", minLength: 16, maxLength: 16 }] },
    ],
    [
      "an imported shape of the greatest length, with the longest prefix",
      { importedTokenShapes: [{ prefix: "!~".repeat(16), minLength: 512, maxLength: 512 }] },
    ],
  ])("%s", (_, fields) => expect(checkApiFields({ ...api, ...fields })).toEqual([]));
});

describe("an API may not have", () => {
  const ID = "is 1 to 32 of a-z, 0-9 and '-', starting with a letter";
  const LABEL = "is 1 to 16 of a-z and 0-9, starting with a letter";
  const METHODS = "is one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  const PREFIX = "is up to 32 printable ASCII characters, no space";
  const TTL = "is at least 1 second; leave it out for a key that never expires";
  const COST = "is a whole number from 1 to 1,000,000";

  const cases: readonly [Partial<ApiFields>, string, string][] = [
    [{ id: "" }, "api.api_id", ID],
    [{ id: "9a" }, "api.api_id", ID],
    [{ id: "C2P" }, "api.api_id", ID],
    [{ id: "a_b" }, "api.api_id", ID],
    [{ id: "a\n" }, "api.api_id", ID],
    [{ id: "a".repeat(33) }, "api.api_id", ID],
    [{ id: "keywarden" }, "api.api_id", "keywarden is the built-in API: choose another id"],
    [{ tokenPrefix: "kw" }, "api.token_prefix", "kw is the built-in API's prefix: choose another"],
    [{ tokenPrefix: "" }, "api.token_prefix", LABEL],
    [{ tokenPrefix: "a-b" }, "api.token_prefix", LABEL],
    [{ tokenPrefix: "a".repeat(17) }, "api.token_prefix", LABEL],
    [{ displayName: "" }, "api.display_name", "is required"],
    [{ displayName: "x".repeat(129) }, "api.display_name", "has at most 128 characters, this one 129"],
    [
      { displayName: "a\u200f" },
      "api.display_name",
      "has the control or format character U+200F, which does not show",
    ],
    [{ environments: [] }, "api.environments", "is required: an API has at least one environment"],
    [{ environments: times(9, (i) => `e${i % 8}`) }, "api.environments", "has at most 8 entries, this one 9"],
    [{ environments: ["test", "Live"] }, "api.environments[1]", LABEL],
    [
      { environments: ["test", "live", "test"] },
      "api.environments[2]",
      '"test" is api.environments[0] already',
    ],
    [{ scopes: [...named(1000), ...named(1)] }, "api.scopes", "has at most 1000 entries, this one 1001"],
    [
      { scopes: [{ name: "a:*", description: "" }] },
      "api.scopes[0].name",
      '"a:*": a wildcard has no place here',
    ],
    [{ scopes: [...named(2), ...named(1)] }, "api.scopes[2].name", '"s0" is api.scopes[0] already'],
    [
      { scopes: [{ name: "a", description: "x".repeat(257) }] },
      "api.scopes[0].description",
      "has at most 256 characters, this one 257",
    ],
    [{ routeRules: times(1001, () => route) }, "api.route_rules", "has at most 1000 entries, this one 1001"],
    [withRoute({ methods: ["GET", "get"] }), "api.route_rules[1].methods[1]", METHODS],
    [withRoute({ methods: ["FETCH"] }), "api.route_rules[1].methods[0]", METHODS],
    [
      withRoute({ methods: times(8, () => "GET") }),
      "api.route_rules[1].methods",
      "has at most 7 entries, this one 8",
    ],
    [
      withRoute({ methods: ["GET", "PUT", "GET"] }),
      "api.route_rules[1].methods[2]",
      '"GET" is api.route_rules[1].methods[0] already',
    ],
    [
      withRoute({ path: route.path }),
      "api.route_rules[1].path",
      "is for requests that api.route_rules[0] is for already, and neither is more specific: " +
        'GET "/api/v1/orders", and GET "/api/v1/orders"',
    ],
    [
      withRoute({ requiredScope: "a\nb" }),
      "api.route_rules[1].required_scope",
      "is on one line, with spaces between its words",
    ],
    [withRoute({ path: "orders" }), "api.route_rules[1].path", "starts with '/'"],
    [
      withRoute({ requiredScope: "a and b" }),
      "api.route_rules[1].required_scope",
      'at character 3, near "a >>>and b": operators are in capitals: write AND',
    ],
    [withRoute({ cost: 0 }), "api.route_rules[1].cost", COST],
    [withRoute({ cost: 1.5 }), "api.route_rules[1].cost", COST],
    [withRoute({ cost: 1_000_001 }), "api.route_rules[1].cost", COST],
    [withRoute({ environment: "prod" }), "api.route_rules[1].environment", "is one of the API's: test, live"],
    [withTtl(999), "api.key_defaults.ttl", TTL],
    [withTtl(1000.5), "api.key_defaults.ttl", TTL],
    [
      withTtl(8_000 * 366 * 86_400_000),
      "api.key_defaults.ttl",
      "is at most 7,000 years; leave it out for a key that never expires",
    ],
    [
      { keyDefaults: { ttl: null, rateLimits: [limit, limit] } },
      "api.key_defaults.rate_limits[1].name",
      '"default" is api.key_defaults.rate_limits[0] already',
    ],
    [
      { importedTokenShapes: times(9, () => shape) },
      "api.imported_token_shapes",
      "has at most 8 entries, this one 9",
    ],
    [withShape({ prefix: "x".repeat(33) }), "api.imported_token_shapes[0].prefix", PREFIX],
    [withShape({ prefix: "a b" }), "api.imported_token_shapes[0].prefix", PREFIX],
    [withShape({ prefix: "é" }), "api.imported_token_shapes[0].prefix", PREFIX],
    [withShape({ minLength: 15 }), "api.imported_token_shapes[0].min_length", "is from 16 to 512 characters"],
    [
      withShape({ minLength: 20, maxLength: 19 }),
      "api.imported_token_shapes[0].max_length",
      "is from min_length to 512 characters",
    ],
    [
      withShape({ maxLength: 513 }),
      "api.imported_token_shapes[0].max_length",
      "is from min_length to 512 characters",
    ],
  ];
  const titled = cases.map(([fields, field, description]) => ({ fields, field, description }));
  test.each(titled)("%#: $field that $description", ({ fields, field, description }) => {
    expect(checkApiFields({ ...api, ...fields })).toEqual([{ field, description }]);
  });

  test("a name three times, and hears each time where it was first", () => {
    expect(checkApiFields({ ...api, environments: ["live", "live", "live"] })).toEqual([
      { field: "api.environments[1]", description: '"live" is api.environments[0] already' },
      { field: "api.environments[2]", description: '"live" is api.environments[0] already' },
    ]);
  });

  test("several things at once, and hears of all of them", () => {
    const violations = checkApiFields({ ...api, id: "", displayName: "", tokenPrefix: "" });
    expect(violations.map(({ field }) => field)).toEqual([
      "api.api_id",
      "api.display_name",
      "api.token_prefix",
    ]);
  });
});
