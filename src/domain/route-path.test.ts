import { expect, test } from "vitest";
import { routePathProblem } from "./route-path.ts";

const CHARACTERS = "write segments without escapes, ';' or '?'";
const WILDCARD = "has '*' only as its last segment, for the rest; ':name' stands for one";

test.each([
  "/",
  "/orders",
  "/orders/",
  "/api/v1/orders/:id",
  "/:_a/:B9",
  "/:a/:order_id",
  "/files/*",
  "/*",
  "/~user/a.b_c-d!$&'()+,=@",
  "/v1/orders:cancel",
  "/...",
  `/${"x".repeat(511)}`,
])("a route may have the path %s", (path) => expect(routePathProblem(path)).toBeUndefined());

test.each([
  ["", "starts with '/'"],
  ["orders/", "starts with '/'"],
  [`/${"x".repeat(512)}`, "has at most 512 characters, this one 513"],
  ["//", "has an empty segment"],
  ["/a//b", "has an empty segment"],
  ["/a/./b", "has no '.' or '..' segments"],
  ["/a/..", "has no '.' or '..' segments"],
  ["/*/a", WILDCARD],
  ["/a*", WILDCARD],
  ["/**", WILDCARD],
  ["/:", "has \":\": after ':' comes a name of letters, digits and '_'"],
  ["/:9", "has \":9\": after ':' comes a name of letters, digits and '_'"],
  ["/:9:a", "has \":9:a\": after ':' comes a name of letters, digits and '_'"],
  ["/x/:a-b", "has \":a-b\": after ':' comes a name of letters, digits and '_'"],
  ["/a b", `has "a b": ${CHARACTERS}`],
  ["/a%2fb", `has "a%2fb": ${CHARACTERS}`],
  ["/a?b=c", `has "a?b=c": ${CHARACTERS}`],
  ["/a;b", `has "a;b": ${CHARACTERS}`],
  ["/a\\b", `has "a\\\\b": ${CHARACTERS}`],
  ["/a\n", `has "a\\n": ${CHARACTERS}`],
  ["/é", `has "é": ${CHARACTERS}`],
])("but not %j", (path, problem) => expect(routePathProblem(path)).toBe(problem));
