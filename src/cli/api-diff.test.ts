import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ApiSchema } from "../gen/keywarden/v1/api_pb.ts";
import { apiDiff, changedFields, removals } from "./api-diff.ts";

const plain = (_format: unknown, text: string) => text;
const fields = {
  apiId: "a",
  displayName: "A",
  tokenPrefix: "a",
  environments: ["test", "live"],
  scopes: [{ name: "x:read" }, { name: "x:write" }],
  etag: "4",
};
const before = create(ApiSchema, fields);
const after = create(ApiSchema, {
  ...fields,
  environments: ["test"],
  scopes: [{ name: "x:read", description: "Read" }],
  etag: "",
});

function withCost(cost: number) {
  return create(ApiSchema, { ...fields, routeRules: [{ path: "/", cost }] });
}

it("names the fields that differ, and no output-only ones", () => {
  expect(changedFields(before, after)).toEqual(["environments", "scopes"]);
  expect(changedFields(before, create(ApiSchema, { ...fields, etag: "5" }))).toEqual([]);
});

it("sees a field that is emptied", () => {
  expect(changedFields(before, create(ApiSchema, { ...fields, scopes: [] }))).toEqual(["scopes"]);
});

it("takes a cost of 1 for the one that is not said", () => {
  expect(changedFields(withCost(0), withCost(1))).toEqual([]);
  expect(changedFields(withCost(1), withCost(2))).toEqual(["route_rules"]);
});

it("tells what would be gone", () => {
  expect(removals(before, after)).toEqual({ environments: ["live"], scopes: ["x:write"], shapes: [] });
});

it("tells which shapes of imported tokens would be gone or narrower, and not those that a wider one has", () => {
  const shape = { prefix: "sk_", minLength: 20, maxLength: 64 };
  const withShapes = (...importedTokenShapes: (typeof shape)[]) =>
    create(ApiSchema, { ...fields, importedTokenShapes });
  const gone = (...left: (typeof shape)[]) =>
    removals(withShapes(shape), withShapes(...left)).shapes.map(({ prefix }) => prefix);
  expect(gone()).toEqual(["sk_"]);
  expect(gone({ ...shape, prefix: "sk_live_" })).toEqual(["sk_"]);
  expect(gone({ ...shape, minLength: 21 })).toEqual(["sk_"]);
  expect(gone({ ...shape, maxLength: 63 })).toEqual(["sk_"]);
  expect(gone(shape)).toEqual([]);
  expect(gone({ prefix: "s", minLength: 16, maxLength: 128 })).toEqual([]);
});

it("is a unified diff of the two as files", () => {
  expect(apiDiff(before, after, "a.yaml", plain)).toBe(`--- server
+++ a.yaml
@@ -2,6 +2,5 @@
 display_name: A
 token_prefix: a
-environments: [ test, live ]
+environments: [ test ]
 scopes:
-  x:read: ""
-  x:write: ""
+  x:read: Read
`);
});

it("shows a server's text without what could take over the terminal", () => {
  const evil = create(ApiSchema, { ...fields, displayName: "A\u202e\u009b31m" });
  expect(apiDiff(evil, after, "a.yaml", plain)).not.toMatch(/[\u202e\u009b]/);
});
