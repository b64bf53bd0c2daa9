import { LRUCache } from "lru-cache";
import type { Api, Environment } from "../domain/api.ts";
import { type Decision, type DecisionRequest, decide, type PresentedToken } from "../domain/decision.ts";
import { hashToken, type TokenHash } from "../domain/digest.ts";
import type { KeyRecord } from "../domain/key.ts";
import { invalidArgument, KeywardenError } from "../domain/keywarden-error.ts";
import { publicMessage, REASONS, wwwAuthenticate } from "../domain/reason.ts";
import type { Revision } from "../domain/revision.ts";
import { parseScopeExpression, type ScopeExpression } from "../domain/scope-expression.ts";
import { matchesImportedShape, parseNativeToken } from "../domain/token.ts";
import type { FreshCache } from "./fresh-cache.ts";
import type { LimitLedger } from "./limit-ledger.ts";
import { resolveServing } from "./serving.ts";

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

const GREATEST_COST = 1_000_000;
const EXPRESSIONS_KEPT = 1_000;
const DEFAULT_REALM = "keywarden";

interface KeyVerifierOptions {
  readonly cache: FreshCache<KeyRecord>;
  readonly ledger: LimitLedger;
  /** What callers serve who do not say it. */
  readonly environment: Environment | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
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
    this.verify([{ request, isOver: () => false, decided: resolve, failed: reject }]);
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
    if (waiting !== undefined) this.#answerFromStore(waiting);
  }

  async #answerFromStore(waiting: ReadonlyMap<TokenHash, readonly Verification[]>): Promise<void> {
    const records = await this.#options.cache.load(new Set(waiting.keys())).catch((error: unknown) => {
      for (const verifications of waiting.values()) this.#failAll(verifications, error);
    });
    if (records === undefined) return;
    for (const [hash, verifications] of waiting) {
      for (const verification of verifications) {
        this.#answer(verification, this.#present(verification.request), records.get(hash) ?? undefined);
      }
    }
  }

  #answer(verification: Verification, token: PresentedToken, record: KeyRecord | undefined): void {
    try {
      const { ledger, now } = this.#options;
      const { request } = verification;
      const question = this.#question(request, token, record);
      const decision = decide(record, question, now());
      // Decided too late, or for nobody: nothing is charged and nothing is allowed.
      if (verification.isOver()) {
        verification.failed(TOO_LATE);
        return;
      }
      if (decision.charged !== undefined && record !== undefined && !request.dryRun) {
        ledger.charge(record.key.id, decision.charged, decision.decideTime);
      }
      verification.decided(this.#verdict(decision, question, request));
    } catch (error) {
      verification.failed(this.#failure(error));
    }
  }

  #question(request: VerifyRequest, token: PresentedToken, record: KeyRecord | undefined): DecisionRequest {
    const { cache, ledger, environment } = this.#options;
    if (!(Number.isInteger(request.cost) && request.cost >= 0 && request.cost <= GREATEST_COST)) {
      throw invalidArgument(
        [{ field: "cost", description: `must be 0 to ${GREATEST_COST}` }],
        "INVALID_COST",
      );
    }
    return {
      token,
      serving: resolveServing(request, cache.apis, environment, this.#apiOf(token, record)),
      requiredScope: this.#expression(request.requiredScope),
      clientIp: request.clientIp,
      cost: request.cost,
      usage:
        record !== undefined && record.key.rateLimits.length > 0 ? ledger.usageOf(record.key.id) : undefined,
    };
  }

  /** A token that another API or environment issued needs no look-up; nor does a request that is wrong itself. */
  #isDecidedWithoutRecord(verification: Verification, token: PresentedToken): boolean {
    if (token.kind !== "native") return false;
    try {
      const question = this.#question(verification.request, token, undefined);
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

const TOO_LATE = new KeywardenError({
  status: "DEADLINE_EXCEEDED",
  reason: "DECIDED_TOO_LATE",
  message:
    "the deadline passed, or the call was cancelled, before the decision was made; nothing was charged",
});
