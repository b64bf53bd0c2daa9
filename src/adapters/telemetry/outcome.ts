import type { Verdict } from "../../app/verification.ts";
import { REASONS, type Reason } from "../../domain/reason.ts";
import { Status, type StatusName } from "../../domain/status.ts";

/** Where verifications come in. */
export type Door =
  | "grpc"
  | "grpc_batch"
  | "ext_authz"
  | "http_verify"
  | "http_verify_batch"
  | "http_introspect"
  | "forward_auth";

/** How a verification ended: its reason; where it could not be decided, the status. OK: a call that holds several. */
export type Outcome = Reason | StatusName;

export const DOORS: readonly Door[] = [
  "grpc",
  "grpc_batch",
  "ext_authz",
  "http_verify",
  "http_verify_batch",
  "http_introspect",
  "forward_auth",
];

/** A reason and a status never have the same name. */
export const OUTCOMES: readonly string[] = [...Object.keys(REASONS), ...Object.keys(Status)];

const indexes: ReadonlyMap<string, number> = new Map(OUTCOMES.map((outcome, index) => [outcome, index]));

/** Where the outcome stands in OUTCOMES. */
export function outcomeIndex(outcome: Outcome): number {
  return indexes.get(outcome) ?? 0;
}

/** What a door's answer to one verification was made of: a Check's says it as its outcome, a VerifyKey's is it. */
export function outcomeIn(response: unknown): unknown {
  return typeof response === "object" && response !== null && "outcome" in response
    ? response.outcome
    : response;
}

/** Only a Verdict has a decision among all that methods answer with. */
export function isVerdict(response: unknown): response is Verdict {
  return typeof response === "object" && response !== null && "decision" in response;
}
