import type { Decision, DecisionRequest } from "../domain/decision.ts";
import { publicMessage, REASONS, wwwAuthenticate } from "../domain/reason.ts";
import type { Revision } from "../domain/revision.ts";
import type { Verdict, VerifyRequest } from "./verification.ts";

const DEFAULT_REALM = "keywarden";

/** How to say what was decided on this question. */
export function verdictOf(
  decision: Decision,
  { token, serving, requiredScope }: DecisionRequest,
  request: VerifyRequest,
  revision: Revision,
): Verdict {
  const { reason } = decision;
  if (decision.allowed) return { decision, revision, message: REASONS[reason].message, wwwAuthenticate: "" };
  const native = token.kind === "native" ? token : undefined;
  const details = {
    // Never of the record: it would tell a guesser that there is one.
    realm: request.api || native?.api || DEFAULT_REALM,
    scopes: requiredScope.scopes,
    tokenEnvironment: native?.environment ?? decision.record?.key.environment,
    servedEnvironment: serving.environment,
  };
  const message = publicMessage(reason, details);
  return { decision, revision, message, wwwAuthenticate: wwwAuthenticate(reason, details) };
}
