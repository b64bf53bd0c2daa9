import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Explanation } from "../../app/decision-explainer.ts";
import type { VerifyRequest } from "../../app/verification.ts";
import type { Check } from "../../domain/decision.ts";
import { invalidArgument } from "../../domain/keywarden-error.ts";
import {
  Check_Outcome,
  type ExplainKeyRequest,
  type ExplainKeyResponseSchema,
} from "../../gen/keywarden/v1/explain_pb.ts";
import { Reason as ReasonNumber } from "../../gen/keywarden/v1/verify_service_pb.ts";
import { keyToMessage } from "./key-message.ts";
import { keyIdOf } from "./references.ts";
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
