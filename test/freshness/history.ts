import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { createMemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { FreshCache } from "../../src/app/fresh-cache.ts";
import type { Verification } from "../../src/app/verification.ts";
import { KeyVerifier } from "../../src/app/verify-key.ts";
import { createPepper, digestToken, hashToken } from "../../src/domain/digest.ts";
import {
  compileKey,
  disable,
  enable,
  type Key,
  type KeyRecord,
  revoke,
  rotate,
} from "../../src/domain/key.ts";
import { generateToken } from "../../src/domain/token.ts";
import type { Store } from "../../src/ports/store.ts";
import { testLedgers } from "../support/ledgers.ts";
import { overrideStore } from "../support/override-store.ts";
import { question } from "../support/question.ts";
import { ENTRY, testApi, testKey, testKeyId } from "../support/records.ts";

/** Few, so that what happens concerns the same ones. */
const KEYS = 2;
const GENERATIONS = 2;
const NOW = 1_000_000;
/** Steps of others, about, that a read lets pass before it arrives. */
const SLOW_READ = 6;

interface TestToken {
  readonly key: number;
  readonly generation: number;
}

/** One thing that somebody does. Keys are named by number, tokens by their generation. */
export type Step =
  | { readonly does: "verify"; readonly tokens: readonly TestToken[] }
  /** The first change of a key, whatever it is, creates it. */
  | { readonly does: keyof typeof CHANGES; readonly key: number }
  | { readonly does: "restart reader" };

const key = fc.nat({ max: KEYS - 1 });
const token = fc.record({ key, generation: fc.constantFrom(1, 1, 1, 2) });

/** What one caller does, one thing after the other. */
const lane: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constant("verify" as const),
        tokens: fc.array(token, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        does: fc.constantFrom("disable", "enable", "disable", "enable", "rotate", "revoke"),
        key,
      }),
    },
    { weight: 1, arbitrary: fc.constant({ does: "restart reader" as const }) },
  ),
  { minLength: 2, maxLength: 10 },
);

/** A history: callers that act at the same time. */
export const history: fc.Arbitrary<readonly (readonly Step[])[]> = fc.array(lane, {
  minLength: 2,
  maxLength: 5,
});

/** A key over time: what it was after each change, how many changes were begun, and how many acknowledged. */
interface Life {
  readonly states: (Key | undefined)[];
  acknowledged: number;
  /** Changes of one key are made one after the other. */
  last: Promise<void>;
}

const pepper = createPepper(Buffer.alloc(32, 7));
const tokens = Array.from({ length: KEYS }, () =>
  Array.from({ length: GENERATIONS + 1 }, () => generateToken("ord", "test", randomBytes).reveal()),
);

/**
 * Plays a history in the order that the scheduler picks, over the real verifier and cache and a store in memory.
 * Resolves with each answer that no state of its key explains: none from the last change that was acknowledged
 * before the verification began to the last one that was begun before it ended.
 */
export async function play(
  lanes: readonly (readonly Step[])[],
  scheduler: fc.Scheduler,
  wrap: (store: Store) => Store = (store) => store,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const memory = createMemoryStore({
    now: () => NOW,
    onStep: async (name) => {
      // A read that has been made takes long to arrive, so that much can overtake it.
      const hops = name === "tokens read" ? SLOW_READ : 1;
      for (let hop = 0; hop < hops; hop++) await scheduler.schedule(Promise.resolve(), name);
    },
  });
  let reader = 0;
  const store = wrap(overrideStore(memory, { version: () => memory.version() + 1_000_000 * reader }));
  const verifier = new KeyVerifier({
    cache: new FreshCache<KeyRecord>({
      store,
      digestsOf: (hash) => [digestToken(hash, pepper)],
      compile: ({ key, generation }) => compileKey(key, generation),
      // Fewer than there are tokens, so that some are evicted.
      size: 2,
      unknownSize: 1,
    }),
    ...testLedgers(),
    environment: undefined,
    now: () => NOW,
    onInternalError: (error) => wrong.push(String(error)),
  });
  const lives = Array.from(
    { length: KEYS },
    (): Life => ({ states: [undefined], acknowledged: 0, last: Promise.resolve() }),
  );
  const api = await scheduler.waitFor(memory.commit({ kind: "create-api", api: testApi() }, ENTRY));
  if (!api.ok) throw new Error("the API could not be created");

  const verify = ({ key, generation }: TestToken): Promise<void> => {
    const life = lives[key]!;
    const began = life.acknowledged;
    const answered = Promise.withResolvers<void>();
    const settle = (allowed: boolean, reason: string) => {
      const possible = life.states
        .slice(began)
        .map((state) => state?.state === "ACTIVE" && state.generation === generation);
      if (!possible.includes(allowed)) wrong.push(`key ${key}, token ${generation}: ${reason}`);
      answered.resolve();
    };
    group.push({
      request: question({ token: tokens[key]![generation]!, requiredScope: "orders:read" }),
      peer: "",
      isOver: () => false,
      decided: ({ decision }) => settle(decision.allowed, decision.reason),
      failed: (error) => {
        wrong.push(String(error));
        answered.resolve();
      },
    });
    return answered.promise;
  };
  let group: Verification[] = [];

  const change = async (does: keyof typeof CHANGES, number: number): Promise<void> => {
    const life = lives[number]!;
    const before = life.states.at(-1);
    const after = before === undefined ? testKey({ id: testKeyId(number) }) : CHANGES[does](before);
    if (after === before || after.generation > GENERATIONS) return;
    life.states.push(after);
    const { generation } = after;
    const digest = digestToken(hashToken(tokens[number]![generation]!), pepper);
    const token = { digest, pepperId: pepper.id, generation };
    const result = await memory.commit(
      before === undefined
        ? { kind: "create-key", key: after, token, expectedApi: api.revision }
        : { kind: "update-key", key: after, expected: before.revision, ...(does === "rotate" && { token }) },
      ENTRY,
    );
    if (!result.ok) throw new Error(`the store refused to ${does}: ${result.conflict}`);
    life.states[life.states.length - 1] = { ...after, revision: result.revision };
    await scheduler.schedule(Promise.resolve(), `${does} ${number} answers`);
    life.acknowledged = life.states.length - 1;
  };

  const begin = async (step: Step): Promise<void> => {
    switch (step.does) {
      case "restart reader":
        reader++;
        return;
      case "verify": {
        const answers = step.tokens.map(verify);
        const all = group;
        group = [];
        verifier.verify(all);
        await Promise.all(answers);
        return;
      }
      default: {
        const life = lives[step.key]!;
        life.last = life.last.then(() => change(step.does, step.key));
        return life.last;
      }
    }
  };
  const run = async (lane: readonly Step[]): Promise<void> => {
    for (const step of lane) {
      await scheduler.schedule(Promise.resolve(), step.does);
      await begin(step);
    }
  };
  await scheduler.waitFor(Promise.all(lanes.map(run)));
  return wrong;
}

const CHANGES = {
  revoke: (key: Key) => revoke(key, NOW),
  disable: (key: Key) => (key.state === "REVOKED" ? key : disable(key, NOW)),
  enable: (key: Key) => (key.state === "REVOKED" ? key : enable(key, NOW)),
  rotate: (key: Key) => (key.state === "REVOKED" ? key : rotate(key, { hint: "", graceEnd: NOW, now: NOW })),
} as const;
