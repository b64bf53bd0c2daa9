import { LRUCache } from "lru-cache";
import type { Environment } from "../domain/api.ts";
import type { DecisionRequest, PresentedToken } from "../domain/decision.ts";
import type { KeyRecord } from "../domain/key.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import { parseScopeExpression, type ScopeExpression } from "../domain/scope-expression.ts";
import type { ApiDirectory } from "./api-directory.ts";
import { demandOf } from "./request-route.ts";
import { resolveServing, type ServingKnowledge, toldServing } from "./serving.ts";
import type { ProxiedRequest, Verification, VerifyRequest } from "./verification.ts";

const GREATEST_COST = 1_000_000;
const EXPRESSIONS_KEPT = 1_000;

/** Turns what is asked into what is decided on. */
export class DecisionQuestions {
  /** What callers serve who do not say it. */
  readonly #environment: Environment | undefined;
  readonly #expressions = new LRUCache<string, ScopeExpression>({ max: EXPRESSIONS_KEPT });

  constructor(environment: Environment | undefined) {
    this.#environment = environment;
  }

  /**
   * What there is to decide on this token, without what is spent. Throws INVALID_ARGUMENT if the request itself is wrong,
   * and what `VerifyRequest.route` says.
   */
  of(
    { request, caller }: Pick<Verification, "request" | "caller">,
    token: PresentedToken,
    record: KeyRecord | undefined,
    apis: ApiDirectory,
  ): DecisionRequest {
    const id = token.kind === "native" ? token.api : record?.key.api;
    const knowledge = {
      apis,
      environment: this.#environment,
      tokenApi: id === undefined ? undefined : apis.byId(id),
      caller: caller?.binding ?? null,
    };
    if (request.route !== undefined) return this.#ofRoute(request, request.route, token, record, knowledge);
    refuseBadCost(request.cost);
    return {
      token,
      serving: resolveServing(request, knowledge),
      requiredScope: this.#expression(request.requiredScope),
      clientIp: request.clientIp,
      cost: request.cost,
      usage: undefined,
    };
  }

  #ofRoute(
    request: VerifyRequest,
    route: ProxiedRequest,
    token: PresentedToken,
    record: KeyRecord | undefined,
    knowledge: ServingKnowledge,
  ): DecisionRequest {
    // Whose rules count is not for an imported token's record to say: nobody is to learn so whether there is one.
    const tokenApi = token.kind === "native" ? knowledge.tokenApi : undefined;
    const told = toldServing(request, { ...knowledge, tokenApi });
    const question = { token, clientIp: request.clientIp, usage: undefined };
    const demand = demandOf(route, { told, token, record }, knowledge.apis);
    if (demand === undefined) return { ...question, serving: told, requiredScope: NO_KEY_HAS_IT, cost: 1 };
    const { requiredScope, cost, environment } = demand;
    const serving = { api: told.api, environment };
    return { ...question, serving, requiredScope: this.#expression(requiredScope), cost };
  }

  #expression(text: string): ScopeExpression {
    const known = this.#expressions.get(text);
    if (known !== undefined) return known;
    const parsed = parseScopeExpression(text);
    this.#expressions.set(text, parsed);
    return parsed;
  }
}

/** Of a question that is a denial whatever it needs: if it were not, nothing could be granted all the same. */
const NO_KEY_HAS_IT: ScopeExpression = { text: "", scopes: [], condition: { kind: "any", of: [] } };

function refuseBadCost(cost: number): void {
  if (Number.isInteger(cost) && cost >= 0 && cost <= GREATEST_COST) return;
  throw invalidArgument([{ field: "cost", description: `must be 0 to ${GREATEST_COST}` }], "INVALID_COST");
}
