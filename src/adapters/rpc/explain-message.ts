import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Explanation } from "../../app/decision-explainer.ts";
import type { RouteExplanation, RouteQuestion } from "../../app/explain-route.ts";
import type { NumberedRule } from "../../app/route-table.ts";
import type { VerifyRequest } from "../../app/verification.ts";
import type { Check } from "../../domain/decision.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import { isMethod } from "../../domain/route-order.ts";
import {
  Check_Outcome,
  type ExplainKeyRequest,
  type ExplainKeyResponseSchema,
  type ExplainRouteRequest,
  ExplainRouteResponse_Outcome,
  type ExplainRouteResponseSchema,
  type RouteMatchSchema,
} from "../../gen/keywarden/v1/explain_pb.ts";
import { Reason as ReasonNumber } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { keyToMessage } from "./key-message.ts";
import { apiIdOf, environmentOf, filterOf, keyIdOf } from "./references.ts";
import { DEFAULT_COST } from "./verify-key-request.ts";

const OUTCOMES: Readonly<Record<Check["outcome"], Check_Outcome>> = {
  PASSED: Check_Outcome.PASSED,
  FAILED: Check_Outcome.FAILED,
  SKIPPED: Check_Outcome.SKIPPED,
};

/** Throws INVALID_ARGUMENT if it says neither a key nor a token. */
export function explainQuestionOf(request: ExplainKeyRequest): {
  readonly question: VerifyRequest;
  /** Empty: it is about the question's token. */
  readonly keyId: string;
} {
  const { subject, requiredScope, clientIp, environment, api, cost = DEFAULT_COST } = request;
  if (subject.case === undefined || (subject.case === "keyId" && subject.value === "")) {
    throw invalidArgument([
      { field: "subject", description: "is a key_id or a token, and this has neither" },
    ]);
  }
  const token = subject.case === "token" ? subject.value : "";
  return {
    question: { token, requiredScope, clientIp, environment, api, cost, dryRun: true },
    keyId: subject.case === "keyId" ? keyIdOf(subject.value, "key_id") : "",
  };
}

export function explanationToMessage({
  decision,
  checks,
  revision,
}: Explanation): MessageInitShape<typeof ExplainKeyResponseSchema> {
  const { allowed, reason, record } = decision;
  return {
    allowed,
    reason: ReasonNumber[reason],
    checks: checks.map((check) => ({
      reason: ReasonNumber[check.reason],
      outcome: OUTCOMES[check.outcome],
      detail: check.detail,
    })),
    ...(record !== undefined && { key: keyToMessage(record.key) }),
    revision: BigInt(revision),
  };
}

const ROUTE_OUTCOMES: Readonly<Record<RouteExplanation["outcome"], ExplainRouteResponse_Outcome>> = {
  MATCHED: ExplainRouteResponse_Outcome.MATCHED,
  NO_ROUTE: ExplainRouteResponse_Outcome.NO_ROUTE,
  UNSAFE_PATH: ExplainRouteResponse_Outcome.UNSAFE_PATH,
  ENVIRONMENT_REQUIRED: ExplainRouteResponse_Outcome.ENVIRONMENT_REQUIRED,
};

/** Throws INVALID_ARGUMENT for a method that no request has, and for what is no id or environment. */
export function routeQuestionOf({ apiId, method, path, environment }: ExplainRouteRequest): RouteQuestion {
  if (!isMethod(method)) {
    const description = `is an HTTP method such as GET, 1 to 32 characters; this has ${method.length} characters, and is none`;
    throw invalidArgument([{ field: "method", description }]);
  }
  return {
    apiId: apiIdOf(apiId, "api_id"),
    method,
    path,
    environment: filterOf(environment, "environment", environmentOf) ?? "",
  };
}

export function routeExplanationToMessage({
  outcome,
  problem,
  match,
  environment,
  others,
}: RouteExplanation): MessageInitShape<typeof ExplainRouteResponseSchema> {
  return {
    outcome: ROUTE_OUTCOMES[outcome],
    problem,
    ...(match !== undefined && { match: routeMatchToMessage(match) }),
    environment,
    others: others.map(routeMatchToMessage),
  };
}

function routeMatchToMessage({ rule, index }: NumberedRule): MessageInitShape<typeof RouteMatchSchema> {
  return { index, rule: { ...rule, methods: [...rule.methods] } };
}
