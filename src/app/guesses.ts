import type { TokenHash } from "../domain/digest.ts";
import type { KeyRecord } from "../domain/key.ts";
import { type Asker, type FailureBudget, type Source, type Standing, sourceOf } from "./failure-budget.ts";
import type { FreshCache } from "./fresh-cache.ts";

/** Tokens that only the store can tell about, each with all that ask about it. */
type Guesses<Question extends Asker> = Map<TokenHash, readonly Question[]>;

interface Guess<Question extends Asker> {
  readonly questions: readonly Question[];
  /** Who is charged if there is no such token. */
  readonly source: Source | undefined;
}

/** What becomes of the guesses: each is answered once. */
export interface GuessAnswers<Question extends Asker> {
  /** Undefined: there is no such token, or none that can be trusted. */
  found(question: Question, record: KeyRecord | undefined): void;
  /** Nobody looked it up, as its source has guessed too often; for how many seconds. */
  refused(question: Question, retryAfter: number): void;
  failed(questions: readonly Question[], error: unknown): void;
}

interface LookUp {
  readonly cache: Pick<FreshCache<KeyRecord>, "load">;
  readonly failures: FailureBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Asks the store about tokens, as many at once as their sources may ask about, until all are answered. A token that is
 * unknown is charged to one that asked about it.
 */
export async function answerGuesses<Question extends Asker>(
  guesses: Guesses<Question>,
  lookUp: LookUp,
  answers: GuessAnswers<Question>,
): Promise<void> {
  try {
    while (guesses.size > 0) await answerSome(guesses, lookUp, answers);
  } catch (error) {
    for (const questions of guesses.values()) answers.failed(questions, error);
  }
}

async function answerSome<Question extends Asker>(
  guesses: Guesses<Question>,
  { cache, failures, now }: LookUp,
  answers: GuessAnswers<Question>,
): Promise<void> {
  const { asked, refused } = admitGuesses(guesses, failures, now());
  for (const { question, retryAfter } of refused) answers.refused(question, retryAfter);
  if (asked.size === 0) return;
  const records = await cache.load(new Set(asked.keys())).catch((error: unknown) => {
    for (const { questions } of asked.values()) answers.failed(questions, error);
  });
  if (records === undefined) return;
  for (const [hash, { questions, source }] of asked) {
    const record = records.get(hash) ?? undefined;
    try {
      if (record === undefined) failures.charge(source, now());
    } catch (error) {
      answers.failed(questions, error);
      continue;
    }
    for (const question of questions) answers.found(question, record);
  }
}

interface Admitted<Question extends Asker> {
  /** What the store may be asked now. */
  readonly asked: ReadonlyMap<TokenHash, Guess<Question>>;
  /** Those whose source has nothing left, and for how many seconds. */
  readonly refused: readonly { readonly question: Question; readonly retryAfter: number }[];
}

/**
 * Takes from `guesses` what can be asked or has to be refused now. What stays has to wait for the answers to what is
 * asked: each of those tokens may turn out unknown, and a source has only so many of them left.
 */
function admitGuesses<Question extends Asker>(
  guesses: Guesses<Question>,
  budget: FailureBudget,
  now: number,
): Admitted<Question> {
  const round = new Round(budget, now);
  // First of all, as this may throw: then nothing has been taken.
  for (const questions of guesses.values()) for (const question of questions) round.standingOf(question);
  const asked = new Map<TokenHash, Guess<Question>>();
  const refused: { question: Question; retryAfter: number }[] = [];
  for (const [hash, all] of guesses) {
    const questions = all.filter((question) => {
      const { left, retryAfter } = round.standingOf(question);
      if (left === 0) refused.push({ question, retryAfter });
      return left > 0;
    });
    const payer = questions.find((question) => round.pays(question));
    if (payer !== undefined) asked.set(hash, { questions, source: round.sourceOf(payer) });
    if (payer !== undefined || questions.length === 0) guesses.delete(hash);
    else guesses.set(hash, questions);
  }
  return { asked, refused };
}

/** What sources had at its beginning, and what of it has been spent since. */
class Round {
  readonly #budget: FailureBudget;
  readonly #now: number;
  readonly #standings = new Map<Source | undefined, Standing>();
  readonly #spent = new Map<Source | undefined, number>();

  constructor(budget: FailureBudget, now: number) {
    this.#budget = budget;
    this.#now = now;
  }

  sourceOf(asker: Asker): Source | undefined {
    return this.#budget.isOff ? undefined : sourceOf(asker);
  }

  standingOf(asker: Asker): Standing {
    const source = this.sourceOf(asker);
    const known = this.#standings.get(source);
    if (known !== undefined) return known;
    const standing = this.#budget.standing(source, this.#now);
    this.#standings.set(source, standing);
    return standing;
  }

  /** Spends one of what the asker's source has, if there is one left. */
  pays(asker: Asker): boolean {
    const source = this.sourceOf(asker);
    const spent = this.#spent.get(source) ?? 0;
    if (spent >= this.standingOf(asker).left) return false;
    this.#spent.set(source, spent + 1);
    return true;
  }
}
