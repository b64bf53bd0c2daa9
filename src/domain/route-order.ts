import type { RouteRule } from "./api.ts";

/** Methods that rules can name. Any other one falls under rules for all. */
export const RULE_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** RFC 9110 sections 5.6.2 and 9.1: case-sensitive, so that `get` is another method than GET. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

/** Of rules that a request falls under, those with the lower rank count. */
const METHOD_NAMED = 0;
const GET_FOR_HEAD = 1;
const ALL_METHODS = 2;

/** Can a request have this method? One that is longer than 32 characters has none that anybody serves. */
export function isMethod(text: string): boolean {
  return METHOD.test(text);
}

/**
 * How closely a rule names the method; the lower, the more closely; undefined: not at all. HEAD is a GET without its
 * answer's content (RFC 9110 section 9.3.2), so that where no rule of a path names it, it needs what GET needs.
 */
export function methodRank({ methods }: Pick<RouteRule, "methods">, method: string): number | undefined {
  if (methods.length === 0) return ALL_METHODS;
  if (methods.includes(method)) return METHOD_NAMED;
  return method === "HEAD" && methods.includes("GET") ? GET_FOR_HEAD : undefined;
}

/**
 * How closely a rule names the environment that was told; undefined: the rule is for another one. Where nothing tells an
 * environment, rules of all of them are alike.
 */
export function environmentRank(
  { environment }: Pick<RouteRule, "environment">,
  told: string | undefined,
): number | undefined {
  if (told === undefined || environment === told) return 0;
  return environment === "" ? 1 : undefined;
}

/** The same for rules that are for the same paths: the name of a parameter makes no difference. */
export function pathPattern(path: string): string {
  return path.replace(/\/:[^/]*/g, "/:");
}

/** Of paths that one request falls under, the more specific one comes first in the order of these texts. */
export function pathRank(path: string): string {
  return path
    .slice(1)
    .split("/")
    .map((segment) => (segment === "*" ? "2" : segment.startsWith(":") ? "1" : "0"))
    .join("");
}
