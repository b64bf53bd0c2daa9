import { type Decision, type DecisionRequest, decide, type PresentedToken } from "../domain/decision.ts";
import { hashToken, type TokenHash } from "../domain/digest.ts";
import type { KeyRecord } from "../domain/key.ts";
import { KeywardenError } from "../domain/keywarden-error.ts";
import type { DecisionParts } from "./decision-parts.ts";
import { DecisionQuestions } from "./decision-questions.ts";
import { answerGuesses, type GuessAnswers } from "./guesses.ts";
import { ledgerIdOf } from "./limit-ledger.ts";
import { presentedToken } from "./presented-token.ts";
import type { UsageMeter } from "./usage-meter.ts";
import { verdictOf } from "./verdict.ts";
import type { Verdict, Verification, VerifyRequest } from "./verification.ts";

interface KeyVerifierOptions extends DecisionParts {
  /** Counts what is decided, dry runs aside. */
  readonly usage?: Pick<UsageMeter, "count">;
  /** Told of errors that are bugs; the verification has failed with INTERNAL. */
  readonly onInternalError: (error: unknown) => void;
}

/**
 * Decides behind every door. A group of verifications shares one freshness check, made after all of them began,
 * so each sees every change that was acknowledged before it was asked; and one read of the store for the records
 * that are not cached.
 */
export class KeyVerifier {
  readonly #options: KeyVerifierOptions;
  readonly #questions: DecisionQuestions;
  readonly #guessAnswers: GuessAnswers<Verification> = {
    found: (verification, record) => this.#answer(verification, this.#present(verification.request), record),
    refused: (verification, retryAfter) => this.#refuse(verification, retryAfter),
    failed: (verifications, error) => this.#failAll(verifications, error),
  };

  constructor(options: KeyVerifierOptions) {
    this.#options = options;
    this.#questions = new DecisionQuestions(options.environment);
  }

  /** Answers each of the group once. Their costs are charged in the group's order where all records are cached. */
  verify(group: readonly Verification[]): void {
    try {
      const refreshing = this.#options.cache.ensureFresh();
      if (refreshing === undefined) this.#answerAll(group);
      else refreshing.then(() => this.#answerAll(group)).catch((error) => this.#failAll(group, error));
    } catch (error) {
      this.#failAll(group, error);
    }
  }

  /** Answers one on its own. Rejects with a KeywardenError where it can't be decided. */
  verifyOne(request: VerifyRequest): Promise<Verdict> {
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
    this.verify([{ request, peer: "", isOver: () => false, decided: resolve, failed: reject }]);
    return promise;
  }

  #answerAll(group: readonly Verification[]): void {
    const { cache } = this.#options;
    let waiting: Map<TokenHash, Verification[]> | undefined;
    for (const verification of group) {
      const token = this.#present(verification.request);
      if (token.kind === "missing" || token.kind === "malformed") {
        this.#answer(verification, token, undefined);
        continue;
      }
      const hash = hashToken(verification.request.token);
      const record = cache.get(hash);
      if (record !== undefined || this.#isDecidedWithoutRecord(verification, token)) {
        this.#answer(verification, token, record ?? undefined);
      } else {
        waiting ??= new Map();
        const others = waiting.get(hash);
        if (others === undefined) waiting.set(hash, [verification]);
        else others.push(verification);
      }
    }
    if (waiting !== undefined) void answerGuesses(waiting, this.#options, this.#guessAnswers);
  }

  #answer(verification: Verification, token: PresentedToken, record: KeyRecord | undefined): void {
    try {
      const question = this.#question(verification, token, record);
      const decision = this.#decide(verification, question, record);
      // Decided too late, or for nobody: nothing was charged and nothing is allowed.
      if (decision === undefined) verification.failed(TOO_LATE);
      else this.#tell(verification, decision, question);
    } catch (error) {
      verification.failed(this.#failure(error));
    }
  }

  /** Decides and charges. Undefined: nobody waits any more, and nothing was charged. */
  #decide(
    verification: Verification,
    question: DecisionRequest,
    record: KeyRecord | undefined,
  ): Decision | undefined {
    const { ledger, now } = this.#options;
    if (record === undefined || record.key.rateLimits.length === 0) {
      const decision = decide(record, question, now());
      return verification.isOver() ? undefined : decision;
    }
    const { id, rateLimits } = record.key;
    return ledger.use(ledgerIdOf(id), rateLimits, now(), (usage) => {
      const decision = decide(record, { ...question, usage }, now());
      if (verification.isOver()) return { decision: undefined, charged: undefined };
      return { decision, charged: verification.request.dryRun ? undefined : decision.charged };
    }).decision;
  }

  /** Denies a token that nobody looked up, as its source has guessed too often. */
  #refuse(verification: Verification, retryAfter: number): void {
    const { request } = verification;
    try {
      const question = this.#question(verification, this.#present(request), undefined);
      const decision = {
        ...decide(undefined, question, this.#options.now()),
        ...GUESSED_TOO_OFTEN,
        retryAfter,
      };
      this.#tell(verification, decision, question);
    } catch (error) {
      verification.failed(this.#failure(error));
    }
  }

  #tell(verification: Verification, decision: Decision, question: DecisionRequest): void {
    const { request } = verification;
    const verdict = verdictOf(decision, question, request, this.#options.cache.revision);
    if (!request.dryRun) this.#options.usage?.count(decision, request.clientIp);
    verification.decided(verdict);
  }

  #question(
    verification: Verification,
    token: PresentedToken,
    record: KeyRecord | undefined,
  ): DecisionRequest {
    return this.#questions.of(verification, token, record, this.#options.cache.apis);
  }

  #present(request: VerifyRequest): PresentedToken {
    return presentedToken(request, this.#options.cache.apis);
  }

  /** A token that another API or environment issued needs no look-up; nor does a request that is wrong itself. */
  #isDecidedWithoutRecord(verification: Verification, token: PresentedToken): boolean {
    if (token.kind !== "native") return false;
    try {
      const question = this.#question(verification, token, undefined);
      return decide(undefined, question, 0).reason !== "UNKNOWN_TOKEN" || token.api === undefined;
    } catch {
      return true;
    }
  }

  #failAll(verifications: readonly Verification[], error: unknown): void {
    const failure = this.#failure(error);
    for (const verification of verifications) verification.failed(failure);
  }

  #failure(error: unknown): KeywardenError {
    if (error instanceof KeywardenError) return error;
    this.#options.onInternalError(error);
    return new KeywardenError({
      status: "INTERNAL",
      reason: "INTERNAL",
      message: "internal error",
      cause: error,
    });
  }
}

const GUESSED_TOO_OFTEN = {
  allowed: false,
  reason: "RATE_LIMITED",
  record: undefined,
  rateLimit: undefined,
  charged: undefined,
} as const;

const TOO_LATE = new KeywardenError({
  status: "DEADLINE_EXCEEDED",
  reason: "DECIDED_TOO_LATE",
  message:
    "the deadline passed, or the call was cancelled, before the decision was made; nothing was charged",
});
