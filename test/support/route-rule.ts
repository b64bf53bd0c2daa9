import type { RouteRule } from "../../src/domain/api.ts";

/**
 * A rule as one line: methods, path, scope and environment, such as `GET,POST /orders/:id orders:read live`. `*` stands
 * for all methods, `-` for no scope, `+` for AND.
 */
export function routeRule(text: string, cost = 1): RouteRule {
  const [methods = "", path = "", scope = "-", environment = ""] = text.split(" ");
  return {
    methods: methods === "*" ? [] : methods.split(","),
    path,
    requiredScope: scope === "-" ? "" : scope.replaceAll("+", " AND "),
    cost,
    environment,
  };
}
