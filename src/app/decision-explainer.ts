import { checkDetail } from "../domain/check-detail.ts";
import {
  type Check,
  type Decision,
  type DecisionRequest,
  explain,
  type PresentedToken,
} from "../domain/decision.ts";
import { hashToken } from "../domain/digest.ts";
import { compileKey, type Key, type KeyRecord } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { Revision } from "../domain/revision.ts";
import type { DecisionParts } from "./decision-parts.ts";
import { DecisionQuestions } from "./decision-questions.ts";
import type { Source } from "./failure-budget.ts";
import { ledgerIdOf } from "./limit-ledger.ts";
import { presentedToken } from "./presented-token.ts";
import type { VerifyRequest } from "./verification.ts";

/** What every check of a decision comes to, and what it looked at. */
export interface Explanation {
  readonly decision: Decision;
  readonly revision: Revision;
  readonly checks: readonly (Check & { readonly detail: string })[];
}

/** Whose decision is explained: that on the current token of this key, or on the request's token, asked about from here. */
type ExplainedSubject =
  | { readonly key: Key }
  /** undefined: nobody has to be kept from guessing. */
  | { readonly source: Source | undefined };

/** Explains what would be decided, as KeyVerifier decides it, and charges nothing but guesses. */
export class DecisionExplainer {
  readonly #parts: DecisionParts;
  readonly #questions: DecisionQuestions;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
    this.#questions = new DecisionQuestions(parts.environment);
  }

  /**
   * Every check of what would be decided on this request. Rejects with a KeywardenError where it can't be decided, and
   * with RESOURCE_EXHAUSTED (RATE_LIMITED) if the store is not asked, as too many unknown tokens came from the source.
   */
  async explain(request: VerifyRequest, subject: ExplainedSubject): Promise<Explanation> {
    const { cache, ledger, now } = this.#parts;
    await cache.ensureFresh();
    const { token, record } =
      "key" in subject ? currentTokenOf(subject.key) : await this.#present(request, subject.source);
    const question = this.#questions.of({ request }, token, record, cache.apis);
    if (record === undefined) return this.#explanation(question, record);
    const { id, rateLimits } = record.key;
    return ledger.use(ledgerIdOf(id), rateLimits, now(), (usage) => ({
      ...this.#explanation({ ...question, usage }, record),
      charged: undefined,
    }));
  }

  #explanation(question: DecisionRequest, record: KeyRecord | undefined): Explanation {
    const { decision, checks, limits } = explain(record, question, this.#parts.now());
    const facts = { record, request: question, limits };
    return {
      decision,
      revision: this.#parts.cache.revision,
      checks: checks.map((check) => ({ ...check, detail: checkDetail(check.reason, facts) })),
    };
  }

  async #present(request: VerifyRequest, source: Source | undefined): Promise<Presented> {
    const { cache, failures, now } = this.#parts;
    const token = presentedToken(request, cache.apis);
    if (token.kind === "missing" || token.kind === "malformed") return { token, record: undefined };
    const hash = hashToken(request.token);
    const known = cache.get(hash);
    if (known !== undefined) return { token, record: known ?? undefined };
    const { left, retryAfter } = failures.standing(source, now());
    if (left === 0) throw guessedTooOften(retryAfter);
    const records = await cache.load(new Set([hash]));
    const record = records.get(hash) ?? undefined;
    if (record === undefined) failures.charge(source, now());
    return { token, record };
  }
}

interface Presented {
  readonly token: PresentedToken;
  readonly record: KeyRecord | undefined;
}

function currentTokenOf(key: Key): Presented {
  const { api, environment, generation } = key;
  return { token: { kind: "native", api, environment }, record: compileKey(key, generation) };
}

function guessedTooOften(retryAfter: number): KeywardenError {
  return new KeywardenError({
    status: "RESOURCE_EXHAUSTED",
    reason: "RATE_LIMITED",
    message: `you have asked about too many tokens that nobody has issued: no further one is looked up for ${retryAfter} s`,
  });
}
