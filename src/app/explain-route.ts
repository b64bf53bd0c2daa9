import type { Api, RouteRule } from "../domain/api.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import { quote } from "../domain/quote.ts";
import { type RequestPath, readRequestPath } from "../domain/request-path.ts";
import { environmentRank, methodRank, pathRank } from "../domain/route-order.ts";
import type { AdminParts } from "./admin-parts.ts";
import { getApi } from "./read-records.ts";
import { type NumberedRule, RouteTable } from "./route-table.ts";
import { environmentRequired } from "./serving.ts";

/** A request, as a proxy would receive it, and the environment that would be told; empty: nothing tells it. */
export interface RouteQuestion {
  readonly apiId: string;
  readonly method: string;
  readonly path: string;
  readonly environment: string;
}

/** Which rule a request falls under. */
export interface RouteExplanation {
  readonly outcome: "MATCHED" | "NO_ROUTE" | "UNSAFE_PATH" | "ENVIRONMENT_REQUIRED";
  /** What is the matter, in words; empty for MATCHED. */
  readonly problem: string;
  /** Of MATCHED. */
  readonly match: NumberedRule | undefined;
  /** The environment that is served; of MATCHED, empty: whichever the caller serves, which has to be told. */
  readonly environment: string;
  /** What else is for the request, the more specific ones first; of ENVIRONMENT_REQUIRED, those that only it could tell apart. */
  readonly others: readonly NumberedRule[];
}

/** More would be no help. */
const MOST_OTHERS = 100;

/**
 * Which rule of an API says what a request needs, as a verification finds it, or why there is none.
 * Throws INVALID_ARGUMENT (UNKNOWN_ENVIRONMENT), NOT_FOUND (API_NOT_FOUND), PERMISSION_DENIED (CREDENTIAL_BOUND).
 */
export async function explainRoute(parts: AdminParts, question: RouteQuestion): Promise<RouteExplanation> {
  const api = await getApi(parts, question.apiId);
  const told = toldEnvironment(api, question.environment);
  const unmatched = { match: undefined, environment: told ?? "", others: [] };
  const read = readRequestPath(question.path);
  if ("problem" in read) {
    return { ...unmatched, outcome: "UNSAFE_PATH", problem: `the path ${read.problem}` };
  }
  const { method } = question;
  const [match, ...twins] = new RouteTable(api.routeRules).find(method, read.value, told);
  if (match === undefined) {
    return { ...unmatched, outcome: "NO_ROUTE", problem: noRuleText(api, method, read.value, told) };
  }
  const isTold = twins.length === 0;
  const others = rulesFor(api, method, read.value, told)
    .filter(({ index }) => !isTold || index !== match.index)
    .slice(0, MOST_OTHERS);
  if (!isTold) return { ...unmatched, ...environmentMissing(api), others };
  const environment = match.rule.environment || (told ?? "");
  return { outcome: "MATCHED", problem: "", match, environment, others };
}

/** undefined: nothing tells it, and the API has several. */
function toldEnvironment({ environments }: Api, asked: string): string | undefined {
  if (asked === "") return environments.length === 1 ? environments[0] : undefined;
  if (environments.some((name) => name === asked)) return asked;
  const description = `the API has no such environment; it has ${environments.join(", ")}`;
  throw invalidArgument([{ field: "environment", description }], "UNKNOWN_ENVIRONMENT");
}

function environmentMissing(api: Api): Pick<RouteExplanation, "outcome" | "problem"> {
  const [violation] = environmentRequired(api).violations;
  return { outcome: "ENVIRONMENT_REQUIRED", problem: violation?.description ?? "" };
}

/** Every rule for the request, the more specific ones first. */
function rulesFor(
  api: Api,
  method: string,
  path: RequestPath,
  told: string | undefined,
): readonly NumberedRule[] {
  const rankOf = ({ rule }: NumberedRule) =>
    `${pathRank(rule.path)} ${methodRank(rule, method)} ${environmentRank(rule, told)}`;
  return api.routeRules
    .map((rule, index) => ({ rule, index }))
    .filter(({ rule }) => isFor(rule, method, path, told))
    .map((numbered) => ({ numbered, rank: rankOf(numbered) }))
    .toSorted((one, other) => (one.rank < other.rank ? -1 : Number(one.rank > other.rank)))
    .map(({ numbered }) => numbered);
}

function isFor(rule: RouteRule, method: string, path: RequestPath, told: string | undefined): boolean {
  if (methodRank(rule, method) === undefined || environmentRank(rule, told) === undefined) return false;
  return new RouteTable([rule]).find(method, path, told).length > 0;
}

/** Says also what the rules of this path are for, if it has any: 8 methods in 9 environments at most. */
function noRuleText(api: Api, method: string, path: RequestPath, told: string | undefined): string {
  const where = told === undefined ? "" : ` in ${told}`;
  const text = `no rule of ${api.id} is for ${quote(method)} ${quote(path)}${where}`;
  const ofPath = api.routeRules
    .filter((rule) => isFor({ ...rule, methods: [], environment: "" }, method, path, ""))
    .flatMap(({ methods, environment }) => {
      const place = environment === "" ? "" : ` in ${environment}`;
      return (methods.length === 0 ? ["all methods"] : methods).map((name) => `${name}${place}`);
    });
  return ofPath.length === 0 ? text : `${text}; this path has rules for ${[...new Set(ofPath)].join(", ")}`;
}
