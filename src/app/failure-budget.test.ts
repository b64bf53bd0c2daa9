import { randomBytes } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../test/support/authority.ts";
import { overrideStore } from "../../test/support/override-store.ts";
import { question } from "../../test/support/question.ts";
import { generateToken } from "../domain/token.ts";
import { sourceOf } from "./failure-budget.ts";
import type { Verdict, VerifyingCaller, VerifyRequest } from "./verification.ts";

const BUDGET = 10;
/** Tokens that the store was asked about. */
let asked: number;
let authority: Authority;

beforeEach(async () => {
  authority = await withBudget(BUDGET);
});

function withBudget(perMinute: number): Promise<Authority> {
  asked = 0;
  const count = (store: Parameters<NonNullable<Parameters<typeof createAuthority>[0]>>[0]) =>
    overrideStore(store, {
      findTokens: (digests) => {
        asked += digests.length;
        return store.findTokens(digests);
      },
    });
  return createAuthority(count, { perMinute });
}

const guess = () => generateToken("ord", "test", randomBytes).reveal();
const guesses = (count: number) => Array.from({ length: count }, guess);

/** All in one group, as calls that arrive together are. */
function askTogether(
  requests: readonly Partial<VerifyRequest>[],
  peer = "",
  caller: VerifyingCaller | null = null,
): Promise<Verdict[]> {
  const answers = requests.map((request) => {
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
    const verification = {
      request: question(request),
      peer,
      caller,
      isOver: () => false,
      decided: resolve,
      failed: reject,
    };
    return { verification, promise };
  });
  authority.verifier.verify(answers.map(({ verification }) => verification));
  return Promise.all(answers.map(({ promise }) => promise));
}

async function reasons(
  tokens: readonly string[],
  clientIp: string,
  peer = "",
  caller: VerifyingCaller | null = null,
): Promise<readonly string[]> {
  const verdicts = await askTogether(
    tokens.map((token) => ({ token, clientIp })),
    peer,
    caller,
  );
  return verdicts.map(({ decision }) => decision.reason);
}

const times = (count: number, reason: string) => Array.from({ length: count }, () => reason);

it("asks the store nothing about guesses beyond the budget, whether they come alone or together", async () => {
  for (const token of guesses(4)) expect(await reasons([token], "203.0.113.7")).toEqual(["UNKNOWN_TOKEN"]);
  expect(await reasons(guesses(50), "203.0.113.7")).toEqual([
    ...times(6, "UNKNOWN_TOKEN"),
    ...times(44, "RATE_LIMITED"),
  ]);
  expect(asked).toBe(BUDGET);
  for (const token of guesses(50)) expect(await reasons([token], "203.0.113.7")).toEqual(["RATE_LIMITED"]);
  expect(asked).toBe(BUDGET);
});

it("answers with how long to wait, and with nothing of a key", async () => {
  await reasons(guesses(BUDGET), "203.0.113.7");
  const [verdict] = await askTogether([{ token: guess(), clientIp: "203.0.113.7" }]);
  expect(verdict?.decision).toMatchObject({
    allowed: false,
    reason: "RATE_LIMITED",
    record: undefined,
    rateLimit: undefined,
    charged: undefined,
    retryAfter: 6,
  });
  authority.clock.now += 6_000;
  expect(await reasons([guess(), guess()], "203.0.113.7")).toEqual(["UNKNOWN_TOKEN", "RATE_LIMITED"]);
});

it("answers of keys that are known as always, wherever the guesses come from", async () => {
  const { token } = await authority.key();
  expect(await reasons([token], "203.0.113.7")).toEqual(["ALLOWED"]);
  await reasons(guesses(BUDGET), "203.0.113.7");
  expect(await reasons([token, guess()], "203.0.113.7")).toEqual(["ALLOWED", "RATE_LIMITED"]);
  const other = (await authority.key()).token;
  expect(await reasons([other], "203.0.113.7")).toEqual(["RATE_LIMITED"]);
  expect(await reasons([other], "203.0.113.8")).toEqual(["ALLOWED"]);
  expect(await reasons([other], "203.0.113.7")).toEqual(["ALLOWED"]);
});

it("charges nothing for tokens that exist, however many come at once", async () => {
  const tokens: string[] = [];
  for (let number = 0; number < 5 * BUDGET; number++) tokens.push((await authority.key()).token);
  expect(await reasons(tokens, "203.0.113.7")).toEqual(times(5 * BUDGET, "ALLOWED"));
  expect(asked).toBe(5 * BUDGET);
  const mixed = tokens.slice(0, 5).flatMap((token) => [token, guess()]);
  expect((await reasons(mixed, "203.0.113.7")).filter((reason) => reason === "ALLOWED")).toHaveLength(5);
});

it("charges one guess once, however often and by whom it is repeated", async () => {
  const same = guess();
  expect(await reasons(times(30, same), "203.0.113.7")).toEqual(times(30, "UNKNOWN_TOKEN"));
  expect(await reasons(times(30, same), "203.0.113.7")).toEqual(times(30, "UNKNOWN_TOKEN"));
  expect(asked).toBe(1);
  expect(await reasons(guesses(BUDGET - 1), "203.0.113.7")).toEqual(times(BUDGET - 1, "UNKNOWN_TOKEN"));
});

it("lets one caller ask about what another one may not ask about any more, in the same turn", async () => {
  await reasons(guesses(BUDGET), "203.0.113.7");
  const { token } = await authority.key();
  const verdicts = await askTogether([
    { token, clientIp: "203.0.113.7" },
    { token, clientIp: "203.0.113.8" },
  ]);
  expect(verdicts.map(({ decision }) => decision.reason)).toEqual(["RATE_LIMITED", "ALLOWED"]);
});

it("goes by the peer where no client's address can be read, and has no budget where there is neither", async () => {
  await reasons(guesses(BUDGET), "", "198.51.100.1");
  expect(await reasons([guess()], "unreadable", "198.51.100.1")).toEqual(["RATE_LIMITED"]);
  expect(await reasons([guess()], "203.0.113.7", "198.51.100.1")).toEqual(["UNKNOWN_TOKEN"]);
  expect(await reasons([guess()], "", "198.51.100.2")).toEqual(["UNKNOWN_TOKEN"]);
  expect(await reasons(guesses(3 * BUDGET), "")).toEqual(times(3 * BUDGET, "UNKNOWN_TOKEN"));
});

it("counts for nothing that the store is not asked about", async () => {
  const undecided = ["", "ord_test_short", generateToken("zzz", "test", randomBytes).reveal()];
  for (let turn = 0; turn < BUDGET; turn++) await reasons(undecided, "203.0.113.7");
  expect(asked).toBe(0);
  expect(await reasons([guess()], "203.0.113.7")).toEqual(["UNKNOWN_TOKEN"]);
});

it("is none if it is 0", async () => {
  authority = await withBudget(0);
  expect(await reasons(guesses(300), "203.0.113.7")).toEqual(times(300, "UNKNOWN_TOKEN"));
});

it("lets nobody spend what another caller may ask about for the same client", async () => {
  const client = "203.0.113.7";
  const weak = { id: "0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f60", binding: null };
  const strong = { id: "0190a4b2-5c1e-7d3a-9f00-3b1c2d4e5f61", binding: null };
  const ask = (caller: typeof weak | null, count: number, peer = "198.51.100.1") =>
    reasons(guesses(count), client, peer, caller);
  await ask(weak, BUDGET);
  expect(await ask(weak, 1)).toEqual(["RATE_LIMITED"]);
  // From wherever it calls.
  expect(await ask(weak, 1, "198.51.100.2")).toEqual(["RATE_LIMITED"]);
  expect(await ask(strong, 1)).toEqual(["UNKNOWN_TOKEN"]);
  expect(await ask(null, 1)).toEqual(["UNKNOWN_TOKEN"]);
  await ask(null, BUDGET);
  expect(await ask(null, 1)).toEqual(["RATE_LIMITED"]);
  expect(await ask(null, 1, "198.51.100.2")).toEqual(["UNKNOWN_TOKEN"]);
});

it("takes whoever calls from this machine without a credential for one caller, with a budget for each client", async () => {
  await reasons(guesses(BUDGET), "203.0.113.7", "127.0.0.1");
  for (const peer of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) {
    expect(await reasons([guess()], "203.0.113.7", peer)).toEqual(["RATE_LIMITED"]);
    expect(await reasons([guess()], "203.0.113.8", peer)).toEqual(["UNKNOWN_TOKEN"]);
  }
});

it("takes an IPv6 network of 64 bits for one source, and an IPv4 address for itself however it is written", () => {
  const nameOf = (clientIp: string, peer = "") => sourceOf({ request: { clientIp }, peer });
  expect(nameOf("2001:db8:1:2::1")).toBe(nameOf("2001:db8:1:2:ffff::"));
  expect(nameOf("2001:db8:1:2::1")).not.toBe(nameOf("2001:db8:1:3::1"));
  expect(nameOf("203.0.113.7")).toBe(nameOf("::ffff:203.0.113.7"));
  expect(nameOf("203.0.113.7")).not.toBe(nameOf("203.0.113.8"));
  expect(nameOf("", "fe80::1%eth0")).toBe(nameOf("", "fe80::1"));
  expect(nameOf("", "")).toBeUndefined();
});
