import type { TokenHash } from "../domain/digest.ts";
import { type FailureBudget, type Source, type Standing, sourceOf } from "./failure-budget.ts";

/** Who asks about a token. */
interface Asker {
  readonly request: { readonly clientIp: string };
  readonly peer: string;
}

/** Tokens that only the store can tell about, each with all that ask about it. */
export type Guesses<Question extends Asker> = Map<TokenHash, readonly Question[]>;

export interface Guess<Question extends Asker> {
  readonly questions: readonly Question[];
  /** Who is charged if there is no such token. */
  readonly source: Source | undefined;
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
export function admitGuesses<Question extends Asker>(
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
  readonly #standings = new Map<string, Standing>();
  readonly #spent = new Map<string, number>();

  constructor(budget: FailureBudget, now: number) {
    this.#budget = budget;
    this.#now = now;
  }

  sourceOf({ request, peer }: Asker): Source | undefined {
    return this.#budget.isOff ? undefined : sourceOf(request.clientIp, peer);
  }

  standingOf(asker: Asker): Standing {
    const source = this.sourceOf(asker);
    const name = source?.name ?? "";
    const known = this.#standings.get(name);
    if (known !== undefined) return known;
    const standing = this.#budget.standing(source, this.#now);
    this.#standings.set(name, standing);
    return standing;
  }

  /** Spends one of what the asker's source has, if there is one left. */
  pays(asker: Asker): boolean {
    const name = this.sourceOf(asker)?.name ?? "";
    const spent = this.#spent.get(name) ?? 0;
    if (spent >= this.standingOf(asker).left) return false;
    this.#spent.set(name, spent + 1);
    return true;
  }
}
