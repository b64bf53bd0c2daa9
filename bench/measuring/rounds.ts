import { treeCpuSeconds } from "./cpu-time.ts";
import { rotated } from "./statistics.ts";

/** A server with a load on it. */
export interface Subject {
  readonly name: string;
  readonly pid: number;
  /** Makes sure, by a call apart, that it answers as it should. Rejects if not. */
  check(): Promise<void>;
  /** Loads it for about so many seconds; resolves with how many requests were answered, all of them rightly. */
  load(seconds: number): Promise<number>;
}

export interface RoundsOptions {
  readonly rounds: number;
  /** Of one server's load within a round. */
  readonly seconds: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Microseconds of the server's CPU for one request: by subject, one for each round. */
export type Costs = ReadonlyMap<string, readonly number[]>;

/** Loads the subjects in turn, round after round, after a warm-up that doesn't count. */
export async function measureCosts(subjects: readonly Subject[], options: RoundsOptions): Promise<Costs> {
  const { rounds, seconds, say, signal } = options;
  const costs = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  say("warming up");
  for (const subject of subjects) {
    signal.throwIfAborted();
    await subject.check();
    await subject.load(seconds);
  }
  for (let round = 0; round < rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      signal.throwIfAborted();
      await subject.check();
      const before = treeCpuSeconds(subject.pid);
      const requests = await subject.load(seconds);
      const cost = ((treeCpuSeconds(subject.pid) - before) / requests) * 1e6;
      costs.get(subject.name)?.push(cost);
      say(`round ${round + 1} of ${rounds}: ${subject.name}, ${cost.toFixed(1)} µs a request`);
    }
  }
  return costs;
}
