import { LRUCache } from "lru-cache";
import type { Environment } from "../domain/api.ts";
import type { DecisionRequest, PresentedToken } from "../domain/decision.ts";
import type { KeyRecord } from "../domain/key.ts";
import { invalidArgument } from "../domain/keywarden-error.ts";
import { parseScopeExpression, type ScopeExpression } from "../domain/scope-expression.ts";
import type { ApiDirectory } from "./api-directory.ts";
import { resolveServing } from "./serving.ts";
import type { Verification } from "./verification.ts";

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

  /** What there is to decide on this token, without what is spent. Throws INVALID_ARGUMENT if the request itself is wrong. */
  of(
    { request, caller }: Pick<Verification, "request" | "caller">,
    token: PresentedToken,
    record: KeyRecord | undefined,
    apis: ApiDirectory,
  ): DecisionRequest {
    if (!(Number.isInteger(request.cost) && request.cost >= 0 && request.cost <= GREATEST_COST)) {
      throw invalidArgument(
        [{ field: "cost", description: `must be 0 to ${GREATEST_COST}` }],
        "INVALID_COST",
      );
    }
    const id = token.kind === "native" ? token.api : record?.key.api;
    const serving = resolveServing(request, {
      apis,
      environment: this.#environment,
      tokenApi: id === undefined ? undefined : apis.byId(id),
      caller: caller?.binding ?? null,
    });
    return {
      token,
      serving,
      requiredScope: this.#expression(request.requiredScope),
      clientIp: request.clientIp,
      cost: request.cost,
      usage: undefined,
    };
  }

  #expression(text: string): ScopeExpression {
    const known = this.#expressions.get(text);
    if (known !== undefined) return known;
    const parsed = parseScopeExpression(text);
    this.#expressions.set(text, parsed);
    return parsed;
  }
}
