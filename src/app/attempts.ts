import { tooMuchContention } from "./refusals.ts";

/** How often a change is tried anew because its record changed between read and write. */
const ATTEMPTS = 16;

/** The first result of `attempt` that is not undefined. Throws ABORTED (CONTENTION) if there is none. */
export async function repeated<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
  for (let left = ATTEMPTS; left > 0; left--) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw tooMuchContention();
}
