import type { Command } from "commander";
import { BUILT_IN_API } from "../domain/api.ts";
import {
  type ExplainRouteResponse,
  ExplainRouteResponse_Outcome,
  ExplainRouteResponse_OutcomeSchema,
  ExplainRouteResponseSchema,
  type RouteMatch,
} from "../gen/keywarden/v1/explain_pb.ts";
import { type AdminClient, callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { usage } from "./failure.ts";
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";
import { facts, tablePages } from "./table.ts";

interface ExplainOptions {
  readonly api?: string;
  readonly environment?: string;
}

/** The built-in API, one more, and one that is too many. */
const APIS_ASKED_FOR = 3;

/** `keywarden route explain`. */
export function addRouteExplain(parent: Command, registration: Registration): void {
  const command = parent
    .command("explain")
    .summary("show which rule a request falls under")
    .description(
      "Shows which route rule a request falls under, and so which scope it needs and what it costs. " +
        "Ends with 1 if there is none, so that it would be denied.",
    )
    .argument("<method>", "the request's method, in capitals")
    .argument("<path>", "its path as it is sent, such as /api/v1/orders/7")
    .option("--api <id>", "the API that is called; may be left out if there is only one")
    .option("--environment <name>", "the environment that is called");
  examples(command, [
    ["keywarden route explain GET /api/v1/orders/7", "which scope does this request need?"],
    ["keywarden route explain DELETE /api/v1/products/7 --api c2p --environment live", "and this one?"],
  ]);
  clientAction(command, registration, async ({ settings, print, paint }) => {
    const [method = "", path = ""] = command.args;
    const { api, environment = "" } = command.opts<ExplainOptions>();
    const response = await callAdmin(settings, async (client) => {
      const apiId = api ?? (await onlyApi(client));
      return client.explainRoute({ apiId, method, path, environment });
    });
    if (settings.json) await print(responseJson(ExplainRouteResponseSchema, response));
    else await print(explanationText(response, paint));
    return response.outcome === ExplainRouteResponse_Outcome.MATCHED ? "ok" : "denied";
  });
}

async function onlyApi(client: AdminClient): Promise<string> {
  const { apis } = await client.listApis({ pageSize: APIS_ASKED_FOR });
  const [only, ...others] = apis.filter(({ apiId }) => apiId !== BUILT_IN_API);
  if (only === undefined) throw usage("there is no API yet", "keywarden api apply makes one.");
  if (others.length > 0) throw usage("there are several APIs", "Say which one is called: --api <id>.");
  return only.apiId;
}

function explanationText(response: ExplainRouteResponse, paint: Paint): string {
  const { outcome, problem, match, environment, others } = response;
  const verdict =
    match?.rule === undefined
      ? `${paint("red", `✗ ${ExplainRouteResponse_OutcomeSchema.value[outcome]?.localName ?? outcome}`)}: ${safeText(problem)}\n`
      : `${paint("green", "✓ there is a rule")}\n${matchText(match, environment, paint)}`;
  if (others.length === 0) return verdict;
  const heading = match === undefined ? "Rules that it might fall under:" : "Less specific rules for it:";
  return `${verdict}\n${heading}\n${drawRules(paint)(others)}`;
}

function matchText({ index, rule }: RouteMatch, environment: string, paint: Paint): string {
  return facts(
    [
      ["Rule", `${index}: ${ruleText(rule)}`],
      ["Needs", rule?.requiredScope || "any valid key"],
      ["Costs", String(rule?.cost ?? "")],
      ["Environment", environment || "the caller's, which has to be told"],
    ],
    paint,
  );
}

function drawRules(paint: Paint): (rules: readonly RouteMatch[]) => string {
  return tablePages<RouteMatch>(
    [
      { title: "RULE", text: ({ index, rule }) => `${index}: ${ruleText(rule)}` },
      { title: "NEEDS", text: ({ rule }) => rule?.requiredScope || "any valid key" },
      { title: "COSTS", text: ({ rule }) => String(rule?.cost ?? "") },
      { title: "ENVIRONMENT", text: ({ rule }) => rule?.environment || "all" },
    ],
    paint,
  );
}

function ruleText(rule: RouteMatch["rule"]): string {
  return `${rule?.methods.join(", ") || "all methods"} ${rule?.path ?? ""}`;
}
