import { LRUCache } from "lru-cache";
import type { Api, Environment } from "../domain/api.ts";
import { checkDetail } from "../domain/check-detail.ts";
import {
  type Check,
  type Decision,
  type DecisionRequest,
  decide,
  explain,
  type PresentedToken,
} from "../domain/decision.ts";
import { hashToken, type TokenHash } from "../domain/digest.ts";
import { type CredentialBinding, compileKey, type Key, type KeyRecord } from "../domain/key.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import { publicMessage, REASONS, wwwAuthenticate } from "../domain/reason.ts";
import type { Revision } from "../domain/revision.ts";
import { parseScopeExpression, type ScopeExpression } from "../domain/scope-expression.ts";
import { matchesImportedShape, parseNativeToken } from "../domain/token.ts";
import type { FailureBudget } from "./failure-budget.ts";
import type { FreshCache } from "./fresh-cache.ts";
import { admitGuesses, type Guess, type Guesses } from "./guesses.ts";
import { type LimitLedger, ledgerIdOf } from "./limit-ledger.ts";
import { resolveServing } from "./serving.ts";
import type { UsageMeter } from "./usage-meter.ts";

/** What a backend asks. Empty strings stand for what it does not say. */
export interface VerifyRequest {
  readonly token: string;
  readonly requiredScope: string;
  readonly clientIp: string;
  readonly environment: string;
  readonly api: string;
  /** Units, 0 to 1,000,000. */
  readonly cost: number;
  readonly dryRun: boolean;
}

/** One question on its way: whoever carries it hands it in and is called back once, at once or later. */
export interface Verification {
  readonly request: VerifyRequest;
  /** The address of whoever asks; empty if it can't be told. */
  readonly peer: string;
  /** What the caller's credential or certificate is bound to; null or absent: nothing. */
  readonly caller?: CredentialBinding | null;
  /** Nobody waits for the answer any more. */
  isOver(): boolean;
  decided(verdict: Verdict): void;
  /** It could not be decided: to be treated as a denial. */
  failed(error: KeywardenError): void;
}

export interface Verdict {
  readonly decision: Decision;
  /** The decision is at least as new as this revision of the store. */
  readonly revision: Revision;
  /** The reason in words that give a guesser nothing: for the end client. */
  readonly message: string;
  /** The value of the WWW-Authenticate header; empty where none belongs. */
  readonly wwwAuthenticate: string;
}

/** What every check of a decision comes to, and what it looked at. */
export interface Explanation {
  readonly decision: Decision;
  readonly revision: Revision;
  readonly checks: readonly (Check & { readonly detail: string })[];
}

const GREATEST_COST = 1_000_000;
const EXPRESSIONS_KEPT = 1_000;
const DEFAULT_REALM = "keywarden";

interface KeyVerifierOptions {
  readonly cache: FreshCache<KeyRecord>;
  readonly ledger: LimitLedger;
  readonly failures: FailureBudget;
  /** What callers serve who do not say it. */
  readonly environment: Environment | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
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
  readonly #expressions = new LRUCache<string, ScopeExpression>({ max: EXPRESSIONS_KEPT });

  constructor(options: KeyVerifierOptions) {
    this.#options = options;
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

  /**
   * Every check of what would be decided on this request, with the current token of `key` in place of the request's token
   * if it is given. Charges nothing. Rejects with a KeywardenError where it can't be decided.
   */
  async explain(request: VerifyRequest, key: Key | undefined): Promise<Explanation> {
    const { cache, ledger, now } = this.#options;
    await cache.ensureFresh();
    const token = key === undefined ? this.#present(request) : nativeToken(key);
    const record = key === undefined ? await this.#recordOf(request, token) : compileKey(key, key.generation);
    const question = this.#question({ request }, token, record);
    if (record === undefined) return this.#explanation(question, record);
    const { id, rateLimits } = record.key;
    return ledger.use(ledgerIdOf(id), rateLimits, now(), (usage) => ({
      ...this.#explanation({ ...question, usage }, record),
      charged: undefined,
    }));
  }

  #explanation(question: DecisionRequest, record: KeyRecord | undefined): Explanation {
    const { decision, checks, limits } = explain(record, question, this.#options.now());
    const facts = { record, request: question, limits };
    return {
      decision,
      revision: this.#options.cache.revision,
      checks: checks.map((check) => ({ ...check, detail: checkDetail(check.reason, facts) })),
    };
  }

  async #recordOf({ token }: VerifyRequest, { kind }: PresentedToken): Promise<KeyRecord | undefined> {
    if (kind === "missing" || kind === "malformed") return undefined;
    const { cache } = this.#options;
    const hash = hashToken(token);
    const known = cache.get(hash);
    return (known === undefined ? (await cache.load(new Set([hash]))).get(hash) : known) ?? undefined;
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
    if (waiting !== undefined) void this.#answerFromStore(waiting);
  }

  async #answerFromStore(guesses: Guesses<Verification>): Promise<void> {
    try {
      while (guesses.size > 0) await this.#answerSome(guesses);
    } catch (error) {
      for (const questions of guesses.values()) this.#failAll(questions, error);
    }
  }

  /** Takes some of the guesses, as many as their sources may ask about at once, and answers them. */
  async #answerSome(guesses: Guesses<Verification>): Promise<void> {
    const { cache, failures, now } = this.#options;
    const { asked, refused } = admitGuesses(guesses, failures, now());
    for (const { question, retryAfter } of refused) this.#refuse(question, retryAfter);
    if (asked.size === 0) return;
    const records = await cache.load(new Set(asked.keys())).catch((error: unknown) => {
      for (const { questions } of asked.values()) this.#failAll(questions, error);
    });
    if (records === undefined) return;
    for (const [hash, guess] of asked) this.#answerGuess(guess, records.get(hash) ?? undefined);
  }

  #answerGuess({ questions, source }: Guess<Verification>, record: KeyRecord | undefined): void {
    try {
      if (record === undefined) this.#options.failures.charge(source, this.#options.now());
    } catch (error) {
      this.#failAll(questions, error);
      return;
    }
    for (const question of questions) this.#answer(question, this.#present(question.request), record);
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
    const verdict = this.#verdict(decision, question, request);
    if (!request.dryRun) this.#options.usage?.count(decision, request.clientIp);
    verification.decided(verdict);
  }

  #question(
    { request, caller = null }: Pick<Verification, "request" | "caller">,
    token: PresentedToken,
    record: KeyRecord | undefined,
  ): DecisionRequest {
    const { environment, cache } = this.#options;
    const { apis } = cache;
    if (!(Number.isInteger(request.cost) && request.cost >= 0 && request.cost <= GREATEST_COST)) {
      throw invalidArgument(
        [{ field: "cost", description: `must be 0 to ${GREATEST_COST}` }],
        "INVALID_COST",
      );
    }
    return {
      token,
      serving: resolveServing(request, { apis, environment, tokenApi: this.#apiOf(token, record), caller }),
      requiredScope: this.#expression(request.requiredScope),
      clientIp: request.clientIp,
      cost: request.cost,
      usage: undefined,
    };
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

  #apiOf(token: PresentedToken, record: KeyRecord | undefined): Api | undefined {
    const id = token.kind === "native" ? token.api : record?.key.api;
    return id === undefined ? undefined : this.#options.cache.apis.byId(id);
  }

  #present({ token, api }: VerifyRequest): PresentedToken {
    if (token === "") return { kind: "missing" };
    const { apis } = this.#options.cache;
    const native = parseNativeToken(token);
    const issuer = native === undefined ? undefined : apis.byPrefix(native.prefix);
    if (native !== undefined && issuer !== undefined) {
      return { kind: "native", api: issuer.id, environment: native.environment };
    }
    for (const importing of apis.importing) {
      if (api !== "" && importing.id !== api) continue;
      if (importing.importedTokenShapes.some((shape) => matchesImportedShape(token, shape))) {
        return { kind: "imported" };
      }
    }
    if (native === undefined) return { kind: "malformed" };
    return { kind: "native", api: undefined, environment: native.environment };
  }

  #expression(text: string): ScopeExpression {
    const known = this.#expressions.get(text);
    if (known !== undefined) return known;
    const parsed = parseScopeExpression(text);
    this.#expressions.set(text, parsed);
    return parsed;
  }

  #verdict(
    decision: Decision,
    { token, serving, requiredScope }: DecisionRequest,
    request: VerifyRequest,
  ): Verdict {
    const { reason } = decision;
    const { revision } = this.#options.cache;
    if (decision.allowed)
      return { decision, revision, message: REASONS[reason].message, wwwAuthenticate: "" };
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

function nativeToken({ api, environment }: Key): PresentedToken {
  return { kind: "native", api, environment };
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
